/**
 * Writes actors as two numbers: the number of the actor's beginning, which all actors of one
 * incarnation share, and its birth. A beginning that no actor has any more is forgotten.
 */
import type { Actor } from "../core/clock/Dot.ts"
import { invariant } from "../core/Invariant.ts"

export interface ActorNumber {
  readonly beginning: number
  /** -1 where the beginning is the whole actor. */
  readonly birth: number
}

interface Beginning {
  readonly text: string
  /** Actors that have it. */
  uses: number
}

const wholeActor = -1

/** Births that no node writes, such as "00", are kept as they came. */
const parted = (actor: Actor): { readonly text: string; readonly birth: number } => {
  const end = actor.lastIndexOf(".") + 1
  const digits = actor.slice(end)
  const birth = Number.parseInt(digits, 36)
  return Number.isSafeInteger(birth) && birth.toString(36) === digits
    ? { text: actor.slice(0, end), birth }
    : { text: actor, birth: wholeActor }
}

export class ActorNumbers {
  readonly #numbers = new Map<string, number>()
  readonly #beginnings: Array<Beginning | undefined> = []
  readonly #free: Array<number> = []

  /** Beginnings that are known. */
  get size(): number {
    return this.#numbers.size
  }

  /** The numbers of an actor, until they are given back. */
  take(actor: Actor): ActorNumber {
    const { birth, text } = parted(actor)
    const known = this.#numbers.get(text)
    if (known !== undefined) {
      this.#beginnings[known]!.uses++
      return { beginning: known, birth }
    }
    const beginning = this.#free.pop() ?? this.#beginnings.length
    this.#beginnings[beginning] = { text, uses: 1 }
    this.#numbers.set(text, beginning)
    return { beginning, birth }
  }

  /** Gives back what was taken once. */
  give(number: number): void {
    const beginning = this.#beginnings[number]
    invariant(beginning !== undefined, "what is given back was taken")
    if (--beginning.uses > 0) return
    this.#numbers.delete(beginning.text)
    this.#beginnings[number] = undefined
    this.#free.push(number)
  }

  text({ beginning: number, birth }: ActorNumber): Actor {
    const beginning = this.#beginnings[number]
    invariant(beginning !== undefined, "only numbers that were taken have an actor")
    return birth === wholeActor ? beginning.text : beginning.text + birth.toString(36)
  }
}
