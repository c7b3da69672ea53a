// Checks what a remote client sends, and what it concludes of the answers, in whatever order they
// come.
import { describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import {
  ContextNotCovered,
  NodeUnwritable,
  OperationUnknown,
  QuorumNotMet,
  StaleMark,
  type StoreError,
  UnknownBucket
} from "../../src/core/model/StoreError.ts"
import { begin, done, node } from "./beginRequest.ts"

const full = (name: string) => new NodeUnwritable({ node: name, reason: "full" })
const stale = (name: string) => new StaleMark({ node: name, mark: "newer" })

/** A request that its second node answers with an error, while the first one owes an answer. */
const askTwo = (error: StoreError) => {
  const asked = begin({})
  asked.request.resend()
  asked.request.resend()
  asked.answer(error)
  expect(asked.outcomes).toEqual([])
  return asked
}

describe("a write that the client names", () => {
  it("goes with an id and the node's mark, and without `tried`", () => {
    const { answer, outcomes, sent, told } = begin({})
    const operationId = { session: "s", sequence: 7 }
    expect(sent).toEqual([{ to: "n1", id: 0, mark: "n1-mark", operationId }])
    answer(done)
    expect(outcomes).toEqual(["Answer"])
    expect(told).toEqual(["n1 answered", "ended"])
  })

  it("asks a node for its mark first where none is known", () => {
    const { answer, marks, sent } = begin({}, { nodes: ["n1"] })
    expect(sent).toMatchObject([{ mark: "n1-mark" }])
    const other = begin({}, { nodes: [] })
    expect(other.sent).toMatchObject([{ to: "any", mark: "" }])
    other.marks.set(node("n3"), "n3-mark")
    other.answer(stale("n3"))
    expect(other.sent.at(-1)).toMatchObject({ to: "n3", mark: "n3-mark" })
    expect(other.sent.at(-1)).not.toHaveProperty("tried")
    marks.set(node("n1"), "newer")
    answer(stale("n1"))
    expect(sent.at(-1)).toMatchObject({ to: "n1", mark: "newer" })
    expect(sent.at(-1)).not.toHaveProperty("tried")
  })

  it("names its own node as tried where an old mark was refused after several sendings", () => {
    const { answer, marks, request, sent } = begin({})
    request.resend()
    marks.set(node("n1"), "newer")
    answer(stale("n1"))
    expect(sent.at(-1)).toMatchObject({
      to: "n1",
      mark: "newer",
      tried: [{ node: "n1", mark: "n1-mark" }]
    })
  })

  it("goes to another node at once where its node is gone, named only if it was sent twice", () => {
    const { outcomes, request, sent, told, tos } = begin({})
    request.undelivered(1)
    expect(told).toEqual(["n1 unreachable"])
    expect(tos()).toEqual(["n1", "n2"])
    expect(sent.at(-1)).not.toHaveProperty("tried")
    const twice = begin({})
    twice.request.resend()
    twice.request.undelivered(2)
    expect(twice.tos()).toEqual(["n1", "n1", "n2"])
    expect(twice.sent.at(-1)).toMatchObject({
      mark: "n2-mark",
      tried: [{ node: "n1", mark: "n1-mark", unreachable: true }]
    })
    expect([...outcomes, ...twice.outcomes]).toEqual([])
  })

  it("goes to another node after two sendings, and stays with the last that there is", () => {
    const { answer, outcomes, request, sent, tos } = begin({})
    for (let i = 0; i < 5; i++) request.resend()
    expect(tos()).toEqual(["n1", "n1", "n2", "n2", "n2", "n2"])
    expect(sent[2]).toMatchObject({ tried: [{ node: "n1", mark: "n1-mark" }] })
    expect(new Set(sent.slice(2).map(({ id }) => id))).toEqual(new Set([1]))
    answer(done)
    expect(outcomes).toEqual(["Answer"])
  })

  it("takes an answer of a node that it has left", () => {
    const { outcomes, request } = begin({})
    request.resend()
    request.resend()
    request.answer(done, 0)
    expect(outcomes).toEqual(["Answer"])
  })

  it("waits for the node it asked last where one that it has left refuses", () => {
    const { answer, outcomes, request } = begin({})
    request.resend()
    request.resend()
    request.answer(new ContextNotCovered({ bucket: "notes", unreachable: [] }), 0)
    expect(outcomes).toEqual([])
    answer(new ContextNotCovered({ bucket: "notes", unreachable: [] }))
    expect(outcomes).toEqual(["ContextNotCovered"])
  })

  it("that is refused goes to other nodes, and fails where the last one refuses", () => {
    const { answer, outcomes, sent, tos } = begin({})
    answer(full("n1"))
    answer(full("n2"))
    expect(tos()).toEqual(["n1", "n2", "any"])
    expect(sent.some(({ tried }) => tried !== undefined)).toBe(false)
    answer(stale("n3"))
    answer(full("n3"))
    expect(tos()).toEqual(["n1", "n2", "any", "n3"])
    expect(outcomes).toEqual(["NodeUnwritable"])
  })

  it("that is refused waits for another node that may carry it out", () => {
    const error = new UnknownBucket({ bucket: "notes" })
    const late = askTwo(error)
    late.request.expire()
    expect(late.outcomes).toEqual(["NoAnswer, maybe applied"])
    const answered = askTwo(error)
    answered.request.answer(done, 0)
    expect(answered.outcomes).toEqual(["Answer"])
    const refused = askTwo(error)
    refused.request.answer(new UnknownBucket({ bucket: "notes" }), 0)
    expect(refused.outcomes).toEqual(["UnknownBucket"])
  })

  it("goes again to the node that owes an answer where all others have refused", () => {
    const { answer, outcomes, request, sent, tos } = begin({})
    request.resend()
    request.resend()
    answer(full("n2"))
    answer(stale("n3"))
    answer(full("n3"))
    expect(outcomes).toEqual([])
    const before = sent.length
    request.resend()
    expect(tos().slice(before)).toEqual(["n1"])
    expect(sent.at(-1)).toMatchObject({ to: "n1", id: 0 })
    request.answer(done, 0)
    expect(outcomes).toEqual(["Answer"])
  })

  it("waits for a node that it has left where another says that it may have applied", () => {
    const error = new OperationUnknown({ nodes: [], mayHaveApplied: true })
    const answered = askTwo(error)
    answered.request.answer(done, 0)
    expect(answered.outcomes).toEqual(["Answer"])
    const late = askTwo(error)
    late.request.expire()
    expect(late.outcomes).toEqual(["OperationUnknown, maybe applied"])
  })

  it("that its only node refuses was not applied, however often it was sent there", () => {
    for (
      const error of [
        new UnknownBucket({ bucket: "notes" }),
        new ContextNotCovered({ bucket: "notes", unreachable: [] })
      ]
    ) {
      const { answer, outcomes, request } = begin({})
      request.resend()
      answer(error)
      expect(outcomes).toEqual([error._tag])
    }
  })

  it("ends where a node says that it may have applied", () => {
    const counts = { needed: { w: 2 }, had: { w: 1 }, unreachable: [], refused: [] }
    for (
      const error of [
        new OperationUnknown({ nodes: [], mayHaveApplied: true }),
        new QuorumNotMet({ action: "write", ...counts, mayHaveApplied: true })
      ]
    ) {
      const { answer, outcomes } = begin({})
      answer(error)
      expect(outcomes).toEqual([`${error._tag}, maybe applied`])
    }
  })

  it("that is out of time may have applied only where it was sent for more than a mark", () => {
    const { outcomes, request } = begin({})
    request.expire()
    expect(outcomes).toEqual(["NoAnswer, maybe applied"])
    const learning = begin({}, { nodes: [] })
    learning.request.resend()
    learning.request.expire()
    expect(learning.outcomes).toEqual(["NoAnswer"])
  })

  it("makes at most so many messages, and none once it has ended", () => {
    const nodes = Array.from({ length: lan.client.attemptsMax }, (_, i) => `n${i + 1}`)
    const { answer, outcomes, request, sent, tos } = begin({}, { nodes })
    for (let i = 0; i < 2 * lan.client.attemptsMax; i++) answer(stale(tos().at(-1)!))
    expect(sent.length).toBe(lan.client.attemptsMax)
    expect(outcomes).toEqual(["NoAnswer"])
    request.resend()
    request.expire()
    request.undelivered(1)
    expect(sent.length).toBe(lan.client.attemptsMax)
    expect(outcomes.length).toBe(1)
  })

  it("that no broker takes fails as it is", () => {
    const { outcomes } = begin({}, { bytesMax: 10 })
    expect(outcomes).toEqual(["UnknownBucket"])
  })
})

describe("a write that its user names", () => {
  it("goes without a mark and without `tried`, under one id wherever it goes", () => {
    const { request, sent, tos } = begin({ id: "order 17" })
    for (let i = 0; i < 3; i++) request.resend()
    expect(tos()).toEqual(["n1", "n1", "n2", "n2"])
    expect(sent.every(({ mark, tried }) => mark === undefined && tried === undefined)).toBe(true)
    expect(new Set(sent.map(({ operationId }) => JSON.stringify(operationId))).size).toBe(1)
    expect(sent[0]!.operationId).not.toEqual(begin({ id: "order 18" }).sent[0]!.operationId)
  })

  it("that is refused was not applied only where it was sent once", () => {
    const { answer, outcomes } = begin({ id: "x" })
    answer(new ContextNotCovered({ bucket: "notes", unreachable: [] }))
    expect(outcomes).toEqual(["ContextNotCovered"])
    const twice = begin({ id: "x" })
    twice.request.resend()
    twice.answer(new ContextNotCovered({ bucket: "notes", unreachable: [] }))
    expect(twice.outcomes).toEqual(["NoAnswer, maybe applied"])
  })
})

describe("a read", () => {
  it("goes to another node at each late answer, and names no operation", () => {
    const { answer, outcomes, request, sent, tos } = begin({ action: "read" })
    request.resend()
    request.resend()
    expect(tos()).toEqual(["n1", "n2", "any"])
    expect(sent.every(({ operationId }) => operationId === undefined)).toBe(true)
    answer(done)
    expect(outcomes).toEqual(["Answer"])
  })

  it("that is refused goes to other nodes, and never says that it may have applied", () => {
    const { answer, outcomes, tos } = begin({ action: "read" })
    answer(full("n1"))
    answer(full("n2"))
    expect(tos()).toEqual(["n1", "n2", "any"])
    answer(full("n3"))
    expect(outcomes).toEqual(["NodeUnwritable"])
    const late = begin({ action: "read" })
    late.request.resend()
    late.request.expire()
    expect(late.outcomes).toEqual(["NoAnswer"])
  })

  it("that others refuse waits for a node that is slow", () => {
    for (const isGone of [false, true]) {
      const { answer, outcomes, request, sent } = begin({ action: "read" })
      request.resend()
      const refuse = (name: string) =>
        isGone ? request.undelivered(sent.length) : answer(full(name))
      refuse("n2")
      refuse("n3")
      expect(outcomes).toEqual([])
      request.answer(done, 0)
      expect(outcomes).toEqual(["Answer"])
    }
  })

  it("that has made all its messages waits for their answers", () => {
    const { outcomes, request, sent } = begin({ action: "read" })
    for (let i = 0; i < 2 * lan.client.attemptsMax; i++) request.resend()
    expect(sent.length).toBe(lan.client.attemptsMax)
    expect(outcomes).toEqual([])
    request.answer(done, 0)
    expect(outcomes).toEqual(["Answer"])
  })
})
