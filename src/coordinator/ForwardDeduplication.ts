/**
 * Remembers which forwarded writes this node refused. The network may repeat a message much later,
 * and a write that was refused then might be carried out now, after its client was told that it
 * was not.
 */
import type { NodeLimits } from "../core/model/Limits.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import type { Answer, AnswerAddress } from "./Request.ts"

/** The sender of a forwarded write, by the message that brought it. */
export interface Origin extends AnswerAddress<Answer> {
  readonly name: string
}

const mayHaveApplied = (outcome: Answer | StoreError): boolean =>
  outcome._tag === "Answer" || ("mayHaveApplied" in outcome && outcome.mayHaveApplied)

export class ForwardDeduplication {
  /** By message: the refusal, or undefined while it is under way. */
  readonly #messages = new Map<string, Answer | StoreError | undefined>()
  readonly #refusedMax: number

  constructor({ forwardRefusalsMax }: Pick<NodeLimits, "forwardRefusalsMax">) {
    this.#refusedMax = forwardRefusalsMax
  }

  /**
   * Carries a message out, unless it repeats one that is under way or was refused. A message that
   * was carried out may be so again: the document knows its operation id.
   */
  run(origin: Origin, carryOut: (address: AnswerAddress<Answer>) => void): void {
    const { name } = origin
    if (this.#messages.has(name)) {
      const refusal = this.#messages.get(name)
      if (refusal !== undefined) origin.deliver(refusal)
      return
    }
    this.#messages.set(name, undefined)
    carryOut({
      deliver: (outcome) => {
        this.#messages.delete(name)
        if (!mayHaveApplied(outcome)) this.#keep(name, outcome)
        origin.deliver(outcome)
      }
    })
  }

  #keep(name: string, refusal: Answer | StoreError): void {
    this.#messages.set(name, refusal)
    const [oldest] = this.#messages.keys()
    if (this.#messages.size > this.#refusedMax && oldest !== undefined) {
      this.#messages.delete(oldest)
    }
  }
}
