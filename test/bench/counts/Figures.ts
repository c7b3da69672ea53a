/**
 * Names what the counted processes and the benchmark tell each other, over the channel that Node
 * opens between a process and its child.
 */

/** A place in the program, and the bytes that were allocated or copied there. */
export interface Site {
  readonly bytes: number
  /** The innermost function, and where it is. */
  readonly place: string
  /** The functions of the measured source on the stack, innermost first; no packages. */
  readonly own: ReadonlyArray<string>
}

/** The work of one thread between a start and a stop, in bytes. */
export interface Figures {
  /** "main", or the name of a worker thread. */
  readonly thread: string
  /** Allocated on the heap, with what was collected since. */
  readonly heap: number
  /** Memory of buffers, which lies outside the heap. */
  readonly outside: number
  /** By the name of the primitive that copied. */
  readonly copied: Readonly<Record<string, number>>
  readonly allocations: ReadonlyArray<Site>
  readonly copies: ReadonlyArray<Site>
  /** By the room of the code: microseconds of CPU where these are counted, else bytes allocated. */
  readonly rooms: Readonly<Record<string, number>>
  /** Microseconds of CPU that the thread took, where these are counted. */
  readonly threadMicros: number
  /** The same of the whole process, told by its main thread. */
  readonly processMicros: number
}

/** Counts in one thread, from `start` to `stop`. */
export interface Meter {
  readonly start: () => void
  readonly stop: () => Omit<Figures, "thread">
}

/**
 * The kind of figures that one run counts. Wrapping the primitives that copy would distort the
 * heap's figures. To see whose an allocation is, V8 must not inline one function into the other,
 * which distorts them a little.
 */
export type Phase = "heap" | "copies" | "places" | "cpu"

export type Kind = "put" | "get"

/** The threads of each process, by the process's name. */
export type Counted = ReadonlyMap<string, ReadonlyArray<Figures>>

export type Command =
  | { readonly counts: "start" | "stop" }
  /** To the client: so many operations, from the `first` on. */
  | { readonly run: Kind; readonly first: number; readonly count: number }

export type Answer =
  | { readonly counts: "started" }
  | { readonly counts: "stopped"; readonly threads: ReadonlyArray<Figures> }
  /** The client is connected. */
  | { readonly client: "ready" }
  | { readonly ran: number; readonly failures: number }

/** Among the processes, the one that is no node. */
export const clientName = "client"

/** The variables by which a process learns what to count, and where the measured source lies. */
export const phaseVariable = "BENCH_COUNTS_PHASE"
export const rootVariable = "BENCH_COUNTS_ROOT"

/** What a meter leaves out. */
export const noFigures: Omit<Figures, "thread"> = {
  heap: 0,
  outside: 0,
  copied: {},
  allocations: [],
  copies: [],
  rooms: {},
  threadMicros: 0,
  processMicros: 0
}

/** Adds up what has the same key. */
export const add = (sums: Map<string, number>, key: string, bytes: number): void => {
  sums.set(key, (sums.get(key) ?? 0) + bytes)
}
