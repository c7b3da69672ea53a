/**
 * Gathers what one turn asks of the nodes: the requests to one node about one operation of one
 * bucket leave as one message, since the broker's permissions see the operation in its subject.
 * Those of a span leave apart from the others, since a header names it.
 */
import { invariant } from "../core/Invariant.ts"
import type { ClientLimits } from "../core/model/Limits.ts"
import type { ClusterName, NodeId } from "../core/model/Names.ts"
import { operationOf } from "../core/model/OperationName.ts"
import type { Runtime } from "../core/Runtime.ts"
import { Subjects } from "../transport/Subjects.ts"
import type { TransportService } from "../transport/Transport.ts"
import type { BackendRequest } from "./Backend.ts"
import { replyToken } from "./ReplySubject.ts"
import type { RequestText } from "./RequestText.ts"

export interface RequestOutboxOptions {
  readonly runtime: Pick<Runtime, "endOfTurn">
  readonly transport: Pick<TransportService, "maxPayload" | "publish">
  readonly cluster: ClusterName
  /** The subject below which the replies arrive: each message has one of its own. */
  readonly inbox: string
  readonly limits: Pick<ClientLimits, "batchBytesTarget">
}

/** The requests that will be one message. */
interface Batch {
  readonly sample: BackendRequest
  readonly operation: string
  readonly requests: Array<RequestText>
  /** Bytes of the requests, with a bracket or comma before each. */
  bytes: number
}

/** Messages of one turn are written into one buffer, as far as they fit. */
const bufferedMessages = 4
/** Around the requests of one message. */
const bracketBytes = 2

const openBracket = 0x5b
const comma = 0x2c
const closeBracket = 0x5d

export class RequestOutbox {
  readonly #options: RequestOutboxOptions
  readonly #subjects: Subjects
  /** The open batches to each node; those to no node in particular stand under undefined. */
  readonly #batches = new Map<NodeId | undefined, Array<Batch>>()
  readonly #buffer: Buffer
  #written = 0
  #messages = 0
  #isScheduled = false

  constructor(options: RequestOutboxOptions) {
    this.#options = options
    this.#buffer = Buffer.allocUnsafeSlow(bufferedMessages * options.limits.batchBytesTarget)
    this.#subjects = new Subjects(options.cluster)
  }

  /** The bytes that one request may take. */
  get requestBytesMax(): number {
    return this.#options.transport.maxPayload() - bracketBytes
  }

  /** Sends a request at the end of this turn. Without a node, the broker chooses one. */
  add(sent: RequestText, node: NodeId | undefined): void {
    this.#schedule()
    const batch = this.#batchOf(sent, node)
    const bytes = sent.bytes + 1
    const { batchBytesTarget } = this.#options.limits
    if (batch.bytes + bytes > Math.min(batchBytesTarget, this.requestBytesMax)) {
      this.#publish(batch, node)
    }
    batch.requests.push(sent)
    batch.bytes += bytes
  }

  /** Drops the requests of this turn: none of them has been sent. */
  close(): void {
    this.#batches.clear()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    // The transport has taken the last turn's messages by now.
    this.#written = 0
    this.#options.runtime.endOfTurn(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#isScheduled = false
    for (const [node, batches] of this.#batches) {
      for (const batch of batches) this.#publish(batch, node)
    }
    this.#batches.clear()
  }

  #batchOf({ request }: RequestText, node: NodeId | undefined): Batch {
    const batches = this.#batches.get(node) ?? []
    if (batches.length === 0) this.#batches.set(node, batches)
    const operation = operationOf(request.action, request.body.calls)
    for (const batch of batches) {
      const { action, bucket, trace } = batch.sample
      if (
        batch.operation === operation && bucket === request.bucket && action === request.action
        && trace === request.trace
      ) return batch
    }
    const batch = { sample: request, operation, requests: [], bytes: 0 }
    batches.push(batch)
    return batch
  }

  #publish(batch: Batch, node: NodeId | undefined): void {
    leaveOut(batch)
    const { operation, requests, sample } = batch
    if (requests.length === 0) return
    const message = ++this.#messages
    const parts = { access: sample.action, bucket: sample.bucket, operation }
    const subject = node === undefined
      ? this.#subjects.request(parts)
      : this.#subjects.nodeRequest(node, parts)
    const data = this.#room(batch.bytes + 1)
    let end = 0
    for (const request of requests) {
      request.message = message
      request.subject = subject
      data[end] = end === 0 ? openBracket : comma
      end += 1 + data.write(request.open, end + 1)
      end += data.write(request.rest, end)
    }
    data[end] = closeBracket
    invariant(end === batch.bytes, "a request takes the bytes that were counted")
    requests.length = 0
    batch.bytes = 0
    const reply = `${this.#options.inbox}.${replyToken(message, node)}`
    this.#options.transport.publish(subject, data, reply, sample.trace)
  }

  #room(bytes: number): Buffer {
    const start = this.#written
    if (start + bytes > this.#buffer.length) return Buffer.allocUnsafeSlow(bytes)
    this.#written += bytes
    return this.#buffer.subarray(start, this.#written)
  }
}

/** Takes the requests out of a batch that have ended since they were added. */
const leaveOut = (batch: Batch): void => {
  const { requests } = batch
  if (!requests.some(({ isOver }) => isOver)) return
  const left = requests.filter(({ isOver }) => !isOver)
  for (const { bytes, isOver } of requests) if (isOver) batch.bytes -= bytes + 1
  requests.splice(0, requests.length, ...left)
}
