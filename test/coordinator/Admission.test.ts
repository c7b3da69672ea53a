// Checks which requests a node refuses for having too much to do, and which never.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { Admission } from "../../src/coordinator/Admission.ts"
import { lan, type NodeLimits } from "../../src/core/model/Limits.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { Overloaded } from "../../src/core/model/StoreError.ts"
import type { TransportService } from "../../src/transport/Transport.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

let stepped: SteppedCluster
let client: TransportService
let replies: Array<any>

const start = async (limits: Partial<NodeLimits>): Promise<void> => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets, limits })
  client = stepped.cluster.connect()
  replies = []
  client.subscribe("inbox.*", ({ data, noResponders, subject }) => {
    if (noResponders) return
    const reply: unknown = JSON.parse(new TextDecoder().decode(data))
    replies.push({ subject, reply })
  })
  stepped.runtime.runReady()
}

beforeEach(() => start({ admittedMin: 2, admittedFirst: 2 }))
afterEach(() => stepped.stop())

let messages = 0
const send = (body: unknown, verb = "write.notes.put"): void => {
  const text = typeof body === "string" ? body : JSON.stringify(body)
  const subject = `everwrite.test.v1.node.n1.${verb}`
  client.publish(subject, new TextEncoder().encode(text), `inbox.${++messages}`)
  stepped.runtime.runReady()
}

const put = { args: ["text"] }

/** Two requests that n1 cannot end, as the others do not answer. */
const fill = (): void => {
  stepped.loses = ({ to }) => to === "n1"
  send([{ id: 1, key: "a", ...put }, { id: 2, key: "b", ...put }])
  expect(replies).toEqual([])
}

const heal = (): void => {
  stepped.loses = () => false
}

describe("a node with as many open requests as it takes", () => {
  it("refuses a message as a whole, by its reply subject, without reading it", () => {
    fill()
    send("no JSON at all")
    send([{ id: 3, key: "c", ...put }])
    const refusal = {
      reply: { error: { _tag: "Overloaded", node: "n1", retryAfterMillis: expect.any(Number) } }
    }
    expect(replies).toMatchObject([refusal, refusal])
    expect(replies.map(({ subject }) => subject)).toEqual([
      `inbox.${messages - 1}`,
      `inbox.${messages}`
    ])
    expect(stepped.counts(1).open).toBe(2)
    expect(stepped.nodes[0]!.core.coordinator.admission()).toMatchObject({ limit: 2, refused: 2 })
  })

  it("refuses a request of its own process, and one over HTTP", () => {
    fill()
    const { error } = stepped.read(1, notes, { key: "k", r: 1 })
    expect(error).toBeInstanceOf(Overloaded)
    // By this HTTP refuses before it reads a body.
    expect(stepped.cluster.backends[0]!.overload?.()).toBeInstanceOf(Overloaded)
  })

  it("does nothing later by a message that repeats one it has read and refused", () => {
    fill()
    const operationId = { session: "s".repeat(26), sequence: 1 }
    const mark = stepped.nodes[0]!.core.replica.operations.mark()
    const named = { key: "k", ...put, operationId, mark, w: 1 }
    expect(stepped.write(1, notes, { ...named, op: "put" }).error).toBeInstanceOf(Overloaded)
    heal()
    stepped.runtime.advance(3_000)
    expect(stepped.write(1, notes, { ...named, op: "put" }).error).toMatchObject({
      _tag: "StaleMark"
    })
    expect(stepped.read(1, notes, { key: "k" }).answer.values).toEqual([])
  })

  it("serves other nodes, whose requests were begun before", () => {
    fill()
    heal()
    stepped.runtime.runReady()
    expect(stepped.nodes[0]!.core.coordinator.overload()).toBeInstanceOf(Overloaded)
    expect(stepped.write(2, notes, { key: "k", op: "put", args: ["x"], w: "all" }).answer.replied)
      .toBe(3)
  })

  it("tells who is in the cluster", () => {
    fill()
    client.publish("everwrite.test.v1.cluster.describe", new Uint8Array(), "inbox.d")
    stepped.runtime.runReady()
    expect(replies[0].reply).toHaveProperty("members")
  })

  it("takes requests again once those are answered", () => {
    fill()
    heal()
    stepped.runtime.advance(1_000)
    replies.length = 0
    send({ key: "k", ...put })
    expect(replies[0].reply).toMatchObject({ values: ["text"] })
  })
})

/**
 * Admission alone, with a broker whose answers to questions take so long; its process is at work
 * all the time, unless it is said to have nothing to do for a share of it.
 */
const beginAlone = (
  answer: (runtime: SteppedRuntime) => { millis: number; reached?: boolean },
  idleShare: () => number = () => 0
) => {
  const runtime = new SteppedRuntime()
  let idle = 0
  const pass = (millis: number): void => {
    idle += millis * idleShare()
    runtime.advance(millis)
  }
  const admission = new Admission({
    runtime: { elapsed: runtime.elapsed, idle: () => idle, mark: runtime.mark },
    node: NodeId.make("n1"),
    limits: { ...lan.node, admittedMin: 4, admittedFirst: 8 },
    flush: (done) => {
      const { millis, reached = true } = answer(runtime)
      runtime.after(millis, () => done(reached))
    }
  })
  /** Requests that are done at once, so many each millisecond; how many were refused. */
  const ask = (each: number, forMillis: number): number => {
    let refused = 0
    for (let i = 0; i < forMillis; i++) {
      for (let k = 0; k < each; k++) {
        if (admission.refusal(0) === undefined) admission.taken(0, runtime.elapsed())
        else refused++
      }
      pass(1)
    }
    return refused
  }
  return { admission, ask, pass }
}

describe("a node at work all the time whose broker answers late", () => {
  it("takes few requests that are done at once, until the queue is gone", () => {
    let isLate = false
    const { admission, ask } = beginAlone(() => ({ millis: isLate ? 400 : 1 }))
    expect(ask(5, 500)).toBe(0)
    isLate = true
    ask(5, 1_000)
    expect(admission.stats.waitMillis).toBeGreaterThan(200)
    expect(ask(5, 500)).toBeGreaterThan(1_000)
    isLate = false
    ask(5, 500)
    expect(ask(5, 500)).toBe(0)
  })

  it("finds out that the queue is gone though hardly a request comes", () => {
    let isLate = false
    const { admission, ask, pass } = beginAlone(() => ({ millis: isLate ? 400 : 1 }))
    ask(5, 500)
    isLate = true
    ask(5, 1_000)
    expect(admission.stats.waitMillis).toBeGreaterThan(0)
    isLate = false
    pass(1_000)
    for (let i = 0; i < 20; i++) {
      ask(1, 1)
      pass(1_000)
    }
    expect(admission.stats.waitMillis).toBe(0)
    expect(admission.refusal(0)).toBeUndefined()
  })

  it("takes the time of a far broker for no queue, and none from a lost connection", () => {
    const far = beginAlone(() => ({ millis: 400 }))
    expect(far.ask(5, 3_000)).toBe(0)
    const lost = beginAlone(() => ({ millis: 0, reached: false }))
    expect(lost.ask(5, 3_000)).toBe(0)
    expect([far, lost].map(({ admission }) => admission.stats.waitMillis)).toEqual([0, 0])
  })

  it("takes a broker that leaves its questions unanswered for a queue", () => {
    let millis = 1
    const frozen = beginAlone(() => ({ millis, reached: millis === 1 }))
    frozen.ask(5, 500)
    millis = 2_000
    frozen.ask(5, 3_000)
    expect(frozen.admission.stats.waitMillis).toBeGreaterThan(1_000)
  })
})

describe("a node that has nothing to do for a part of the time", () => {
  it.each([
    ["becomes slow", true],
    ["leaves its questions unanswered", false]
  ])("refuses nothing because its broker %s", (_, reached) => {
    let millis = 1
    const { admission, ask } = beginAlone(
      () => ({ millis, reached: reached || millis === 1 }),
      () => 0.2
    )
    expect(ask(5, 500)).toBe(0)
    millis = 2_000
    expect(ask(5, 6_000)).toBe(0)
    expect(admission.stats).toMatchObject({ limit: 8, waitMillis: 0 })
  })

  it("takes a request though a queue stood before and its question is not answered yet", () => {
    let [idleShare, millis] = [0, 1]
    const { admission, ask, pass } = beginAlone(() => ({ millis }), () => idleShare)
    ask(5, 500)
    millis = 400
    ask(5, 1_000)
    millis = 100_000
    ask(5, 1_000)
    expect(admission.refusal(0)).toBeInstanceOf(Overloaded)
    idleShare = 1
    pass(100)
    expect(admission.refusal(0)).toBeUndefined()
  })
})

it("a node takes a whole message where it takes one request of it", () => {
  const items = Array.from({ length: 10 }, (_, id) => ({ id, key: `k${id}`, ...put }))
  send(items)
  const answers = replies.flatMap(({ reply }) => reply)
  expect(answers.filter(({ values }) => values !== undefined)).toHaveLength(10)
})
