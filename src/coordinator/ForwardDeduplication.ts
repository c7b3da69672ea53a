/**
 * Remembers which forwarded writes this node refused. The network may repeat a message much later,
 * and what was refused then might be carried out now, after the client was told that it was not.
 */
import type { StoreError } from "../core/model/StoreError.ts"
import type { Answer, Respond } from "./Request.ts"

/** About 2 MB; a repeat of a message that was refused before so many others is carried out. */
const refusedMax = 10_000

const mayHaveApplied = (outcome: Answer | StoreError): boolean =>
  outcome._tag === "Answer" || ("mayHaveApplied" in outcome && outcome.mayHaveApplied)

export class ForwardDeduplication {
  /** By message: the refusal, or undefined while it is under way. */
  readonly #messages = new Map<string, Answer | StoreError | undefined>()

  /**
   * Carries a message out, unless it is a repeat of one that is under way or was refused. What was
   * carried out may be so again: the document knows its id.
   */
  run(message: string, respond: Respond, carryOut: (respond: Respond) => void): void {
    if (this.#messages.has(message)) {
      const refusal = this.#messages.get(message)
      if (refusal !== undefined) respond(refusal)
      return
    }
    this.#messages.set(message, undefined)
    carryOut((outcome) => {
      this.#messages.delete(message)
      if (!mayHaveApplied(outcome)) this.#keep(message, outcome)
      respond(outcome)
    })
  }

  #keep(message: string, refusal: Answer | StoreError): void {
    this.#messages.set(message, refusal)
    const [oldest] = this.#messages.keys()
    if (this.#messages.size > refusedMax && oldest !== undefined) this.#messages.delete(oldest)
  }
}
