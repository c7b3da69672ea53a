// Checks that a session brings what it has seen of a document to each later request for it, and
// never reads behind that.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import type { Backend, BackendAnswer, BackendRespond } from "../../src/client/Backend.ts"
import { makeHandle } from "../../src/client/MakeHandle.ts"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { Requester } from "../../src/client/Requester.ts"
import * as Session from "../../src/client/Session.ts"
import type { Task } from "../../src/client/Task.ts"
import { NoAnswer, type StoreError } from "../../src/core/model/StoreError.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import { buckets, notes, profiles } from "../cluster/buckets.ts"
import { clusterName } from "../cluster/memoryCluster.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

type Run = Task<any, StoreError>
const asTask = (task: Run): Run => task
const handleOf = (bucket: Any, requester: Requester) => makeHandle(bucket, requester, asTask)

/** A backend that keeps what it is asked, and answers when the test says so. */
class Stub {
  readonly asked: Array<{ readonly body: RequestBody; readonly respond: BackendRespond }> = []
  readonly backend: Backend = {
    runtime: liveRuntime,
    request: ({ body }, respond) => void this.asked.push({ body, respond }),
    explain: () => undefined,
    list: () => undefined,
    describe: () => undefined
  }

  /** Answers the request with the given number, from 0, with a context. */
  answer(nodeNumber: number, context: string): void {
    const answer: BackendAnswer = { _tag: "Answer", values: [], context, replied: 1, siblings: 0 }
    this.asked[nodeNumber]!.respond(answer)
  }

  after(nodeNumber: number): ReadonlyArray<string> {
    return this.asked[nodeNumber]!.body.after ?? []
  }
}

const nothing = (): void => undefined
const run = (task: Run): void => void task(nothing, nothing, nothing)

describe("a session", () => {
  let stub: Stub
  let note: any
  beforeEach(() => {
    stub = new Stub()
    const session = new Requester(stub.backend, Session.none).inSession()
    note = handleOf(notes, session)
  })

  it("asks first without a context, and then with that of the last answer", () => {
    run(note.entry("k"))
    stub.answer(0, "c1")
    run(note.replace({ key: "k", context: "c1" }, "x"))
    stub.answer(1, "c2")
    run(note.get("k"))
    expect([0, 1, 2].map((nodeNumber) => stub.after(nodeNumber))).toEqual([[], ["c1"], ["c2"]])
  })

  it("keeps the contexts of requests side by side, until an answer covers all of them", () => {
    for (let i = 0; i < 3; i++) run(note.get("k"))
    for (let i = 0; i < 3; i++) stub.answer(i, `c${i}`)
    run(note.get("k"))
    expect(stub.after(3)).toEqual(["c0", "c1", "c2"])
    run(note.get("k"))
    stub.answer(3, "all")
    stub.answer(4, "all too")
    run(note.get("k"))
    expect(stub.after(5)).toEqual(["all", "all too"])
  })

  it("does not take the later of two answers for one that covers the earlier", () => {
    run(note.get("k"))
    run(note.get("k"))
    stub.answer(1, "second")
    run(note.get("k"))
    stub.answer(0, "first")
    stub.answer(2, "after the second")
    run(note.get("k"))
    expect(stub.after(3)).toEqual(["first", "after the second"])
  })

  it("keeps documents apart, by bucket and by key, and other sessions", () => {
    const requester = new Requester(stub.backend, Session.none)
    const [one, other] = [requester.inSession(), requester.inSession()]
    run(handleOf(notes, one).get("k"))
    stub.answer(0, "c")
    run(handleOf(notes, one).get("l"))
    run(handleOf(profiles, one).get("k"))
    run(handleOf(notes, other).get("k"))
    run(handleOf(notes, requester).get("k"))
    expect([1, 2, 3, 4].map((nodeNumber) => stub.after(nodeNumber))).toEqual([[], [], [], []])
  })

  it("learns nothing from an error, and keeps its context", () => {
    run(note.get("k"))
    stub.answer(0, "c")
    run(note.get("k"))
    stub.asked[1]!.respond(new NoAnswer({ reason: "none", mayHaveApplied: false }))
    run(note.get("k"))
    expect(stub.after(2)).toEqual(["c"])
  })

  it("that has seen too many documents takes no other, and goes on with those", () => {
    const full = Session.make(10)
    for (let i = 0; i < 10; i++) {
      full.saw(`${notes.name} "${i}"`, { context: "c", covers: [] })
    }
    const errors: Array<StoreError> = []
    const handle = handleOf(notes, new Requester(stub.backend, full))
    handle.get("another")(nothing, (error: StoreError) => errors.push(error), nothing)
    expect(errors).toMatchObject([{ _tag: "InvalidRequest", setting: "session" }])
    run(handle.get("7"))
    expect(stub.after(0)).toEqual(["c"])
  })
})

describe("a session over NATS", () => {
  let stepped: SteppedCluster
  beforeEach(async () => {
    stepped = await SteppedCluster.start({ nodes: 3, buckets })
  })
  afterEach(() => stepped.stop())

  it("reads its own writes from any node, or says that it cannot", () => {
    const { runtime } = stepped
    const transport = stepped.cluster.connect()
    const backend = new NatsBackend({ runtime, transport, cluster: clusterName })
    run(backend.ready)
    runtime.runReady()
    const requester = new Requester(backend, Session.none)
    const outcomes = (handle: any, name: "get" | "put", ...args: ReadonlyArray<unknown>) => {
      const got: Array<unknown> = []
      handle[name]("k", ...args)(
        (value: unknown) => got.push(value),
        (error: StoreError) => got.push(error._tag),
        nothing
      )
      runtime.runReady()
      runtime.advance(1_500)
      return got
    }
    const own = handleOf(profiles, requester.inSession())
    const other = handleOf(profiles, requester)
    stepped.loses = () => true
    expect(outcomes(own, "put", { name: "Ada" }, { w: 1 })).toMatchObject([{
      value: { name: "Ada" }
    }])
    stepped.cut(stepped.nodesOf(profiles, "k").primaries[0]!)
    expect(outcomes(other, "get", { r: 1 })).toEqual([undefined])
    expect(outcomes(own, "get", { r: 1 })).toEqual(["ContextNotCovered"])
    stepped.loses = () => false
    stepped.heal()
    expect(outcomes(own, "get", { r: 1 })).toEqual([{ name: "Ada" }])
    backend.close()
  })
})
