/**
 * Decides from the memory of one node whether it may carry out an operation that names itself, and
 * what it may tell others about it.
 *
 * A node notes each operation that it carries out, takes over, forwards or refuses: an arrival. It
 * forgets the oldest. So it can prove that it has not done an operation only to someone whose mark
 * is younger than all that it forgot, and of the incarnation that remembers.
 */
import type { NodeId } from "../model/Names.ts"
import * as Mark from "./Mark.ts"

/** A node that was asked for an operation, with the mark that it was asked under. */
export interface Target {
  readonly node: NodeId
  /** Undefined where none was named; empty where the request could not be carried out. */
  readonly mark: string | undefined
}

/** The memory of a node as a whole. */
export interface Memory {
  readonly incarnation: string
  /** Arrivals noted so far. */
  readonly arrivals: number
  /** The last arrival that was forgotten; 0 where none was. */
  readonly evictedThrough: number
}

/** The memory of a node of one operation; undefined where there is none. */
export type Trace =
  /** It has the row of the operation, whose dot is in its state. */
  | { readonly _tag: "Applied"; readonly arrival: number }
  /** It has the row, and a state without the dot: the operation was applied, and lost here. */
  | { readonly _tag: "Lost"; readonly arrival: number }
  /** It forwarded the operation to these; nothing newer was forwarded since `fencedAt`. */
  | {
    readonly _tag: "Forwarded"
    readonly arrival: number
    readonly targets: ReadonlyArray<Target>
    /** The arrival of the last fence; 0 without one. */
    readonly fencedAt: number
  }
  /** It has refused the operation, or has told another node that it had not done it. */
  | { readonly _tag: "Fenced"; readonly arrival: number }

/** A request to do an operation, as far as proofs are concerned. */
export interface Claim {
  readonly mark: string | undefined
  /** The nodes that were asked before and have not refused; the asked one too. */
  readonly tried: ReadonlyArray<Target>
}

export type Verdict =
  /** It was done: answer from what is stored. */
  | { readonly _tag: "Known" }
  /** It was done nowhere: do it. */
  | { readonly _tag: "Do" }
  /** Nothing was done under this mark, and nothing ever will be. */
  | { readonly _tag: "Stale" }
  /** The other nodes that were asked must say that they have not done it. */
  | {
    readonly _tag: "Inquire"
    readonly tried: ReadonlyArray<Target>
    /** Whether this node has certainly not done it. */
    readonly isProven: boolean
    /** Whether all primaries are to be asked, since nobody knows who was. */
    readonly asksAll: boolean
    /** Whether this node would know that it has refused a request under this mark. */
    readonly isRemembered: boolean
  }

/** Whether a node remembers all that it did since it gave this mark. */
export const isValid = (memory: Memory, mark: string): boolean => {
  const decoded = Mark.decode(mark)
  return decoded !== undefined && decoded.incarnation === memory.incarnation
    && decoded.arrivals >= memory.evictedThrough
}

/** Whether a mark was given before an arrival. **Requires** that it is valid. */
const isBefore = (mark: string, arrival: number): boolean => Mark.decode(mark)!.arrivals < arrival

/** The arrival of the last fence of an operation; 0 without one. */
export const fenceOf = (trace: Trace | undefined): number => {
  switch (trace?._tag) {
    case "Fenced":
      return trace.arrival
    case "Forwarded":
      return trace.fencedAt
    default:
      return 0
  }
}

/**
 * The verdict of a node on a request to do an operation: to carry it out, or to forward it.
 *
 * **Guarantees** `Do` only where this node has not done it and nobody else was asked; `Stale` only
 * where no request with this mark was or will be done here.
 */
export const judge = (
  memory: Memory,
  { claim: { mark, tried }, self, trace }: {
    readonly self: NodeId
    readonly trace: Trace | undefined
    readonly claim: Claim
  }
): Verdict => {
  // It asks for a mark, and nothing else.
  if (mark === "") return { _tag: "Stale" }
  if (trace?._tag === "Applied") return { _tag: "Known" }
  // Nearly every request is the first one for its operation.
  const isFirst = trace === undefined && tried.length === 0 && mark !== undefined
  if (isFirst) return isValid(memory, mark) ? { _tag: "Do" } : { _tag: "Stale" }
  const own = tried.filter(({ node }) => node === self)
  const others = tried.filter(({ node, mark: under }) => node !== self && under !== "")
  const forwarded = trace?._tag === "Forwarded"
    ? trace.targets.filter(({ node }) => node !== self)
    : []
  const inquire = (isProven: boolean, asksAll: boolean): Verdict => ({
    _tag: "Inquire",
    tried: [...others, ...forwarded],
    isProven,
    asksAll,
    isRemembered: mark === undefined || isValid(memory, mark)
  })
  if (trace?._tag === "Lost") return inquire(false, mark === undefined)
  if (mark === undefined) return inquire(true, true)
  if (!isValid(memory, mark)) {
    return own.length === 0 && forwarded.length === 0 ? { _tag: "Stale" } : inquire(false, false)
  }
  if (isBefore(mark, fenceOf(trace))) return { _tag: "Stale" }
  const isProven = own.every(({ mark: under }) => under === undefined || provesAgain(memory, under))
  const asksAll = tried.some(({ mark: under }) => under === undefined)
  const isAlone = others.length + forwarded.length === 0
  return isProven && isAlone && !asksAll ? { _tag: "Do" } : inquire(isProven, asksAll)
}

/** A request under an empty mark was not done, whatever is forgotten. */
const provesAgain = (memory: Memory, under: string): boolean =>
  under === "" || isValid(memory, under)

/** The word of a node on an operation that another node wants to do. */
export type Word =
  /** It was done; the state goes with the answer. */
  | { readonly _tag: "Known" }
  /** It was not done here, and will not be under an older mark than the fence that is set now. */
  | { readonly _tag: "Fenced" }
  /** Not done here, but sent on to these, who are to be asked. */
  | { readonly _tag: "Forwarded"; readonly targets: ReadonlyArray<Target> }
  /** This node cannot tell. */
  | { readonly _tag: "Unknown" }

/**
 * The word of a node that was asked before, under `mark`, on an operation that another wants to do.
 * Without a mark it speaks of what it remembers.
 */
export const testify = (
  memory: Memory,
  { mark, trace }: { readonly trace: Trace | undefined; readonly mark: string | undefined }
): Word => {
  if (trace?._tag === "Applied") return { _tag: "Known" }
  if (trace?._tag === "Lost") return { _tag: "Unknown" }
  if (mark !== undefined && !isValid(memory, mark)) return { _tag: "Unknown" }
  if (trace?._tag === "Forwarded") return { _tag: "Forwarded", targets: trace.targets }
  return { _tag: "Fenced" }
}
