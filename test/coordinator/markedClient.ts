/**
 * Lends tests a client that names its operations and the marks that it has learnt, and says of each
 * request which nodes were tried before, as the public schema of requests asks for.
 */
import type { Sender } from "../../schemas/ClientAnswer.ts"
import type { RequestBody, TriedBody } from "../../schemas/ClientRequest.ts"
import type { Answer } from "../../src/coordinator/Request.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import { anonymous } from "../../src/core/model/Principal.ts"
import type { StoreError } from "../../src/core/model/StoreError.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import { node, type SteppedCluster } from "../cluster/steppedCluster.ts"

type Outcome = Answer | StoreError

/** One sending of an operation. */
export class Sending {
  readonly outcomes: Array<Outcome> = []
  sender: Sender | undefined

  get isOpen(): boolean {
    return this.outcomes.length === 0
  }

  get outcome(): Outcome {
    const [outcome] = this.outcomes
    if (outcome === undefined || this.outcomes.length > 1) {
      throw new Error(`answered ${this.outcomes.length} times`)
    }
    return outcome
  }

  get answer(): Answer {
    const { outcome } = this
    if (outcome instanceof Error) throw outcome
    return outcome
  }

  get error(): StoreError {
    const { outcome } = this
    if (outcome instanceof Error) return outcome
    throw new Error(`answered with ${outcome.values.join(", ")}`)
  }
}

/** The answer of a sending that must have one. */
export const done = ({ answer }: Sending): Answer => answer

export interface SendOptions {
  readonly bucket: Pick<Any, "name">
  readonly body: RequestBody
  /** Whether another node forwards it; unless set it comes from its client. */
  readonly forwarded?: boolean
}

/** Sends a request as it is, and lets everything happen that needs no time. */
export const send = (stepped: SteppedCluster, at: number, options: SendOptions): Sending => {
  const sending = begin(stepped, at, options)
  stepped.runtime.runReady()
  return sending
}

/** Sends a request as it is; nothing happens before the end of this turn. */
export const begin = (stepped: SteppedCluster, at: number, options: SendOptions): Sending => {
  const sending = new Sending()
  const { body, forwarded = false } = options
  const bucket = BucketName.make(options.bucket.name)
  const { coordinator } = stepped.nodes[at - 1]!.core
  coordinator.handle({ action: "write", principal: anonymous, bucket, body, forwarded }, {
    deliver: (outcome, sender) => {
      sending.outcomes.push(outcome)
      sending.sender = sender
    }
  })
  return sending
}

/** A write that names itself, and what its client remembers of it. */
export class Operation {
  readonly #client: MarkedClient
  readonly #bucket: Pick<Any, "name">
  readonly #body: RequestBody
  readonly #marks: ReadonlyMap<number, string>
  #tried: ReadonlyArray<TriedBody> = []

  constructor(client: MarkedClient, bucket: Pick<Any, "name">, body: RequestBody) {
    this.#client = client
    this.#bucket = bucket
    this.#body = body
    // Marks that are learnt later may be from after this operation.
    this.#marks = new Map(client.marks)
  }

  /** Sends it, and once more where the node tells a newer mark for a first attempt. */
  send(at: number, more: Partial<RequestBody> = {}): Sending {
    const tried = this.#tried.find((target) => target.node === node(at))
    const mark = tried?.mark ?? this.#client.fresh.get(at) ?? this.#marks.get(at) ?? ""
    const isFirst = tried === undefined
    const body = { ...this.#body, mark, tried: this.#tried, ...more }
    if (isFirst && mark !== "") this.#tried = [...this.#tried, { node: node(at), mark }]
    const sending = send(this.#client.stepped, at, { bucket: this.#bucket, body })
    this.#client.learn(at, sending)
    if (!sending.isOpen && sending.outcome._tag === "StaleMark" && isFirst) {
      this.#tried = this.#tried.filter((target) => target.node !== node(at))
      this.#client.fresh.set(at, sending.sender!.mark)
      return this.send(at, more)
    }
    return sending
  }

  /** The client believes a node down that it has asked. */
  giveUp(at: number): void {
    this.#tried = this.#tried.map((target) =>
      target.node === node(at) ? { ...target, unreachable: true } : target
    )
  }
}

export class MarkedClient {
  readonly stepped: SteppedCluster
  readonly marks = new Map<number, string>()
  /** Marks told with a refusal of the operation at hand. */
  readonly fresh = new Map<number, string>()
  readonly #name: string
  #sequence = 0

  constructor(stepped: SteppedCluster, name = "client") {
    this.stepped = stepped
    this.#name = name
  }

  operation(bucket: Pick<Any, "name">, body: RequestBody): Operation {
    this.fresh.clear()
    const operationId = { session: this.#name, sequence: ++this.#sequence }
    return new Operation(this, bucket, { ...body, operationId })
  }

  learn(at: number, { sender }: Sending): void {
    if (sender !== undefined) this.marks.set(at, sender.mark)
  }
}
