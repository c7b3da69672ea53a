/**
 * Answers the node that forwarded a request here.
 */
import type { Sender } from "../../schemas/ClientAnswer.ts"
import type { PeerMessage } from "../../schemas/PeerMessage.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { StoreError } from "../core/model/StoreError.ts"
import { writeForwarded } from "./ForwardCodec.ts"
import type { Answer, AnswerAddress } from "./Request.ts"

export class ForwardOrigin implements AnswerAddress<Answer> {
  readonly #send: (to: NodeId, message: PeerMessage) => void
  readonly #from: NodeId
  readonly #number: number
  readonly #sending: number

  constructor(
    send: (to: NodeId, message: PeerMessage) => void,
    message: { readonly from: NodeId; readonly number: number; readonly sending: number }
  ) {
    this.#send = send
    this.#from = message.from
    this.#number = message.number
    this.#sending = message.sending
  }

  deliver(outcome: Answer | StoreError, sender?: Sender): void {
    const body = writeForwarded({ outcome, sending: this.#sending, mark: sender?.mark ?? "" })
    this.#send(this.#from, { _tag: "Forwarded", request: this.#number, body })
  }
}
