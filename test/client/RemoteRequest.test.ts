// Checks what a remote client concludes of a request that it had to send more than once.
import { describe, expect, it } from "vitest"
import type { TaggedAnswer } from "../../schemas/ClientAnswer.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { RemoteRequest, type RequestSender } from "../../src/client/RemoteRequest.ts"
import { BucketName, NodeId } from "../../src/core/model/Names.ts"
import { NodeUnwritable, type StoreError, UnknownBucket } from "../../src/core/model/StoreError.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

const [first, second] = ["n1", "n2"].map((name) => NodeId.make(name))

/** A request with its outcomes, and the nodes that it may be sent to, in order. */
const begin = (action: "read" | "write", nodes: ReadonlyArray<NodeId | undefined>) => {
  const outcomes: Array<StoreError["_tag"] | "Answer"> = []
  const sure: Array<boolean> = []
  const sent: Array<NodeId | undefined> = []
  const told: Array<string> = []
  const sender: RequestSender = {
    runtime: liveRuntime,
    limits: lan.client,
    send: (sending) => {
      const node = sending.boundTo ?? nodes[sent.length]
      sent.push(node)
      sending.sentTo(node)
    },
    ended: () => told.push("ended"),
    answered: (node) => told.push(`${node} answered`),
    unreachable: (node) => told.push(`${node} unreachable`)
  }
  const asked = {
    action,
    bucket: BucketName.make("notes"),
    body: { key: "k", operationId: { session: "s", sequence: 1, at: 0 } }
  }
  const request = new RemoteRequest(sender, 1, asked, (outcome) => {
    outcomes.push(outcome._tag)
    if ("mayHaveApplied" in outcome) sure.push(!outcome.mayHaveApplied)
  })
  request.resend()
  return { request, outcomes, sure, sent, told }
}

const answer: TaggedAnswer = { _tag: "Answer", values: [], context: "c", replied: 1, siblings: 0 }
const full = new NodeUnwritable({ node: "n1", reason: "full" })

describe("a write", () => {
  it("that reached no node goes to another node", () => {
    const { request, sent, told } = begin("write", [first, second])
    request.unreachable()
    expect(told).toEqual(["n1 unreachable"])
    expect(sent).toEqual([first, second])
  })

  it("that reached its node once stays with it, though the node is unreachable later", () => {
    const { outcomes, request, sent, sure, told } = begin("write", [first, second])
    request.resend()
    request.unreachable()
    expect(told).toEqual(["n1 unreachable"])
    expect(sent).toEqual([first, first])
    expect(outcomes).toEqual([])
    request.expire()
    expect(outcomes).toEqual(["NoAnswer"])
    expect(sure).toEqual([false])
  })

  it("that any node took is not sent again: another would not know that it was carried out", () => {
    const { request, sent } = begin("write", [undefined, second])
    request.resend()
    expect(sent).toEqual([undefined])
  })

  it("that is refused goes to other nodes, and fails where the last one refuses", () => {
    const { outcomes, request, sent } = begin("write", [first, second])
    request.answer(full)
    expect(sent).toEqual([first, second])
    request.answer(full)
    expect(sent).toEqual([first, second])
    request.answer(new NodeUnwritable({ node: "n2", reason: "full" }))
    expect(sent).toEqual([first, second, undefined])
    expect(outcomes).toEqual([])
    request.answer(new NodeUnwritable({ node: "n3", reason: "full" }))
    expect(outcomes).toEqual(["NodeUnwritable"])
  })

  it("that is refused after an earlier sending says that it may have applied", () => {
    const { outcomes, request, sent, sure } = begin("write", [first, second])
    request.resend()
    request.answer(full)
    expect(sent).toEqual([first, first])
    expect(outcomes).toEqual(["NoAnswer"])
    expect(sure).toEqual([false])
  })

  it("that no node could carry out fails, however often it was sent", () => {
    const { outcomes, request } = begin("write", [first])
    request.resend()
    request.answer(new UnknownBucket({ bucket: "notes" }))
    expect(outcomes).toEqual(["UnknownBucket"])
  })
})

describe("a request", () => {
  it("that is answered tells once that it ended, and which node answered", () => {
    for (const action of ["read", "write"] as const) {
      const { outcomes, request, told } = begin(action, [first])
      request.answer(answer)
      expect(outcomes).toEqual(["Answer"])
      expect(told).toEqual(["n1 answered", "ended"])
    }
  })

  it("takes no late refusal of a node that it has left", () => {
    const { outcomes, request, sent } = begin("write", [first, second])
    request.answer(full)
    request.answer(full)
    expect(sent).toEqual([first, second])
    request.answer(answer)
    expect(outcomes).toEqual(["Answer"])
  })
})

describe("a read", () => {
  it("that is refused goes to other nodes, however often it was sent", () => {
    const { outcomes, request, sent } = begin("read", [first, second])
    request.resend()
    expect(sent).toEqual([first, second])
    request.answer(new NodeUnwritable({ node: "n2", reason: "full" }))
    expect(sent).toEqual([first, second, undefined])
    request.answer(new NodeUnwritable({ node: "n3", reason: "full" }))
    expect(outcomes).toEqual(["NodeUnwritable"])
  })
})
