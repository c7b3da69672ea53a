/**
 * Remembers the last dot that this incarnation made in each document, to tell whether a row still
 * holds it. A disk may give back an old version of a row, whole and with a fitting checksum; making
 * the next dot on that would claim to have seen, and so erase everywhere, what the old version
 * lacks.
 *
 * Bounded: of a document that was forgotten here nothing is known, so a new birth begins there.
 */
import type { Actor, Dot } from "../core/clock/Dot.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import { type RowKey, textOf } from "../core/model/RowKey.ts"
import type { LocalDocument } from "./LocalDocument.ts"

export class LastIssuedDots {
  /** In the order of the last dot. */
  readonly #last = new Map<string, Dot>()
  readonly #dotsMax: number

  constructor({ lastIssuedDotsMax }: Pick<NodeLimits, "lastIssuedDotsMax">) {
    this.#dotsMax = lastIssuedDotsMax
  }

  /** Whether the actor of a row may make the next dot: the row holds the last one it made. */
  mayContinue(key: RowKey, { document, own }: LocalDocument): boolean {
    const last = this.#last.get(textOf(key))
    return last?.actor === own && document.context.get(own) === last.counter
  }

  made(key: RowKey, actor: Actor, counter: number): void {
    const name = textOf(key)
    this.#last.delete(name)
    this.#last.set(name, { actor, counter })
    if (this.#last.size <= this.#dotsMax) return
    for (const oldest of this.#last.keys()) {
      this.#last.delete(oldest)
      return
    }
  }

  clear(): void {
    this.#last.clear()
  }
}
