// Checks what a remote client concludes of a request that it had to send more than once.
import { describe, expect, it } from "vitest"
import { RemoteRequest } from "../../src/client/RemoteRequest.ts"
import { BucketName, NodeId } from "../../src/core/model/Names.ts"
import { NodeUnwritable, type StoreError, UnknownBucket } from "../../src/core/model/StoreError.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

const [first, second] = ["n1", "n2"].map((name) => NodeId.make(name))

/** A request with what it was answered, and the nodes that it may be sent to, in order. */
const begin = (action: "read" | "write", nodes: ReadonlyArray<NodeId | undefined>) => {
  const outcomes: Array<StoreError["_tag"] | "Answer"> = []
  const sure: Array<boolean> = []
  const sent: Array<NodeId | undefined> = []
  const request = new RemoteRequest({
    runtime: liveRuntime,
    number: 1,
    request: {
      action,
      bucket: BucketName.make("notes"),
      body: { key: "k", operationId: { session: "s", sequence: 1, at: 0 } }
    },
    respond: (outcome) => {
      outcomes.push(outcome._tag)
      if ("mayHaveApplied" in outcome) sure.push(!outcome.mayHaveApplied)
    },
    send: (sending) => {
      const node = sending.boundTo ?? nodes[sent.length]
      sent.push(node)
      sending.sentTo(node)
    }
  })
  request.resend()
  return { request, outcomes, sure, sent }
}

const full = new NodeUnwritable({ node: "n1", reason: "full" })

describe("a write", () => {
  it("that reached no node goes to another one", () => {
    const { request, sent } = begin("write", [first, second])
    expect(request.unheard()).toBe(first)
    expect(sent).toEqual([first, second])
  })

  it("that reached its node once stays with it, even when it is gone", () => {
    const { outcomes, request, sent, sure } = begin("write", [first, second])
    request.resend()
    expect(request.unheard()).toBe(first)
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

  it("that is refused goes to other nodes, and has failed where the last one refuses", () => {
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

  it("that is refused after another sending may have applied", () => {
    const { outcomes, request, sent, sure } = begin("write", [first, second])
    request.resend()
    request.answer(full)
    expect(sent).toEqual([first, first])
    expect(outcomes).toEqual(["NoAnswer"])
    expect(sure).toEqual([false])
  })

  it("that no node could carry out has failed, however often it was sent", () => {
    const { outcomes, request } = begin("write", [first])
    request.resend()
    request.answer(new UnknownBucket({ bucket: "notes" }))
    expect(outcomes).toEqual(["UnknownBucket"])
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
