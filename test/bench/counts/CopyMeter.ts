/**
 * Counts the bytes that a thread copies, and the memory it takes outside the heap, by wrapping the
 * primitives that do so. Every so many bytes, at random, it looks at the stack: so each place is
 * charged in proportion to what it copies.
 */
import { add, type Figures, type Meter, noFigures } from "./Figures.ts"
import { type Frame, Places } from "./Places.ts"
import { type Call, constructors, type Primitive, primitives } from "./Primitives.ts"

const sampleBytes = 2_048

const frameOf = (line: string): Frame | undefined => {
  const match = /^\s+at (?:(.*) \()?(.+?):(\d+):\d+\)?$/u.exec(line)
  if (match === null) return undefined
  return { name: match[1] ?? "", url: match[2] ?? "", line: Number(match[3]) }
}

const stack = (): ReadonlyArray<Frame> => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 48
  const lines = new Error().stack?.split("\n") ?? []
  Error.stackTraceLimit = limit
  return lines.flatMap((line) => frameOf(line) ?? []).filter(({ url }) => url !== import.meta.url)
}

/** Bytes until the next sample, so that each byte is as likely as any other. */
const gap = (): number => -Math.log(1 - Math.random()) * sampleBytes

class Sampler {
  readonly #places: Places
  #left = gap()

  constructor(root: string) {
    this.#places = new Places(root)
  }

  count(name: string, bytes: number): void {
    let samples = 0
    for (this.#left -= bytes; this.#left <= 0; this.#left += gap()) samples++
    if (samples > 0) this.#places.add(stack(), samples * sampleBytes, `${name} < `)
  }

  take(): Figures["copies"] {
    return this.#places.take()
  }
}

export class CopyMeter implements Meter {
  readonly #copied = new Map<string, number>()
  readonly #copies: Sampler
  readonly #allocations: Sampler
  #outside = 0
  #counting = false
  /** A primitive that is made of others counts alone. */
  #within = false

  constructor(root: string) {
    this.#copies = new Sampler(root)
    this.#allocations = new Sampler(root)
    for (const primitive of primitives) this.#wrap(primitive)
    for (const primitive of constructors) this.#wrapConstructor(primitive)
  }

  start(): void {
    this.#counting = true
  }

  stop(): Omit<Figures, "thread"> {
    this.#counting = false
    const copied = Object.fromEntries(this.#copied)
    const outside = this.#outside
    this.#copied.clear()
    this.#outside = 0
    return {
      ...noFigures,
      outside,
      copied,
      allocations: this.#allocations.take(),
      copies: this.#copies.take()
    }
  }

  #count(primitive: Primitive, call: Call): void {
    const copied = primitive.copied(call)
    const outside = primitive.outside(call)
    if (copied > 0) {
      add(this.#copied, primitive.name, copied)
      this.#copies.count(primitive.name, copied)
    }
    if (outside > 0) {
      this.#outside += outside
      this.#allocations.count(primitive.name, outside)
    }
  }

  /** Calls, and counts what was called, but not what it calls itself. */
  #counted(primitive: Primitive, call: Omit<Call, "result">, run: () => unknown): unknown {
    if (!this.#counting || this.#within) return run()
    if (primitive.runsOn) {
      this.#within = true
      this.#count(primitive, { ...call, result: undefined })
      this.#within = false
      return run()
    }
    this.#within = true
    try {
      const result = run()
      this.#count(primitive, { ...call, result })
      return result
    } finally {
      this.#within = false
    }
  }

  #wrap(primitive: Primitive): void {
    const { method, on } = primitive
    const descriptor = Object.getOwnPropertyDescriptor(on, method)
    const original: unknown = Reflect.get(on, method)
    if (typeof original !== "function") throw new Error(`${primitive.name} is missing here`)
    const counted = this.#counted.bind(this)
    Object.defineProperty(on, method, {
      configurable: true,
      enumerable: descriptor?.enumerable ?? false,
      writable: true,
      value(this: unknown, ...args: ReadonlyArray<unknown>): unknown {
        return counted(primitive, { self: this, args }, () => Reflect.apply(original, this, args))
      }
    })
  }

  #wrapConstructor(primitive: Primitive): void {
    const original: unknown = Reflect.get(globalThis, primitive.method)
    if (typeof original !== "function") throw new Error(`${primitive.name} is missing here`)
    const counted = this.#counted.bind(this)
    const proxy: unknown = new Proxy(original, {
      construct(target, args: ReadonlyArray<unknown>, newTarget) {
        const kind = newTarget === proxy ? target : newTarget
        const made = counted(
          primitive,
          { self: undefined, args },
          () => Reflect.construct(target, args, kind)
        )
        return Object(made)
      }
    })
    Reflect.set(globalThis, primitive.method, proxy)
  }
}
