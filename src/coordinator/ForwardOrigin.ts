/**
 * Answers the node that forwarded a request here.
 */
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import { type Forwarded, writeForwarded } from "./ForwardCodec.ts"
import type { Answer, AnswerAddress } from "./Request.ts"

export class ForwardOrigin implements AnswerAddress<Answer> {
  /** The same for every repeat of one message. */
  readonly name: string
  readonly #send: (to: NodeId, message: PeerMessage) => void
  readonly #from: NodeId
  readonly #number: number

  constructor(
    send: (to: NodeId, message: PeerMessage) => void,
    message: { readonly from: NodeId; readonly number: number }
  ) {
    this.#send = send
    this.#from = message.from
    this.#number = message.number
    this.name = `${message.from} ${message.number}`
  }

  deliver(outcome: Answer | StoreError): void {
    this.#answer(outcome)
  }

  /** Says that the incarnation that was asked is not this one, and that nothing was done. */
  refuseIncarnation(asked: string): void {
    this.#answer({ _tag: "OtherIncarnation", asked })
  }

  #answer(outcome: Forwarded): void {
    const body = writeForwarded(outcome)
    this.#send(this.#from, { _tag: "Forwarded", request: this.#number, body })
  }
}
