// Checks that any node takes any request: one that does not hold the document forwards it, once.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as Schema from "effect/Schema"
import { BucketName } from "../../src/core/model/Names.ts"
import { anonymous, type Principal } from "../../src/core/model/Principal.ts"
import { NodeUnavailable } from "../../src/core/model/StoreError.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { readForward } from "../../src/coordinator/ForwardCodec.ts"
import { buckets as families, profiles, shelves } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"
import { done, MarkedClient } from "./markedClient.ts"

const single = Bucket.lww("single", { key: Key.text, value: Schema.String, n: 1 })
const buckets = [...families, single]

let stepped: SteppedCluster
/** A node that does not hold `profiles/k`, and those that do, in their order. */
let outside: number
let primaries: ReadonlyArray<number>
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 5, buckets })
  const nodeNumbers = stepped.nodesOf(profiles, "k")
  primaries = nodeNumbers.primaries
  outside = nodeNumbers.others[0]!
  // Every node has had a frame of every other; from here on the first primary is asked first.
  for (const nodeNumber of [...primaries].reverse()) {
    stepped.nodes[outside - 1]!.core.view.heard(stepped.nodes[nodeNumber - 1]!.id, 0)
    stepped.runtime.advance(1)
  }
})
afterEach(() => stepped.stop())

const ada = { key: "k", op: "put", args: [{ name: "Ada" }] }
const adaBody = { key: "k", calls: [{ name: "put", args: [{ name: "Ada" }] }] }
const id = (nodeNumber: number) => stepped.nodes[nodeNumber - 1]!.id
const carriedOut = () => stepped.nodes.map((_, i) => stepped.counts(i + 1).writes)
const visit = { key: "k", op: "visits.add", args: [1] }
const visitBody = { key: "k", calls: [{ name: "visits.add", args: [1] }] }
const visits = () => {
  const nodeNumber = stepped.nodesOf(shelves, "k").primaries.at(-1)
  return stepped.read(nodeNumber!, shelves, { key: "k", r: "all" }).answer.values
}

describe("a node that does not hold the document", () => {
  it("has a write and a read carried out by one that does", () => {
    expect(stepped.write(outside, profiles, { ...ada, w: 3 }).answer)
      .toMatchObject({ values: [{ name: "Ada" }], replied: 3 })
    expect(stepped.read(outside, profiles, { key: "k", r: 3 }).answer)
      .toMatchObject({ values: [{ name: "Ada" }], replied: 3 })
    expect(stepped.counts(outside)).toMatchObject({ forwards: 2, reads: 0, writes: 0 })
    expect(stepped.held(profiles, "k")[outside - 1]?.context.size).toBe(0)
    expect(carriedOut().reduce((sum, count) => sum + count)).toBe(1)
  })

  it("returns contexts that are good anywhere, and errors as they are", () => {
    const { context } = stepped.write(outside, profiles, ada).answer
    expect(stepped.write(primaries[1]!, profiles, { ...ada, context }).isOpen).toBe(false)
    stepped.cut(...primaries.slice(1))
    const asked = stepped.write(outside, profiles, { ...ada, sloppy: false, timeoutMillis: 300 })
    stepped.runtime.advance(400)
    expect(asked.error).toMatchObject({ _tag: "QuorumNotMet", had: { w: 1 }, mayHaveApplied: true })
    expect(asked.error).toBeInstanceOf(Error)
  })

  it("asks another node to read where the first is unreachable", () => {
    stepped.write(outside, profiles, { ...ada, w: 3 })
    stepped.cut(primaries[0]!)
    const asked = stepped.read(outside, profiles, { key: "k", r: 1, timeoutMillis: 2_000 })
    expect(asked.isOpen).toBe(true)
    stepped.runtime.advance(600)
    expect(asked.answer.values).toEqual([{ name: "Ada" }])
  })

  it("leaves a write with the one it went to until that is believed down, then goes on", () => {
    const marked = new MarkedClient(stepped)
    done(marked.operation(profiles, adaBody).send(outside))
    stepped.cut(primaries[0]!)
    const operation = marked.operation(profiles, { ...adaBody, timeoutMillis: 4_000 })
    const asked = operation.send(outside)
    stepped.runtime.advance(900)
    expect(asked.isOpen).toBe(true)
    stepped.runtime.advance(2_000)
    // The first may have carried it out, and cannot be asked.
    expect(asked.error).toMatchObject({
      _tag: "OperationUnknown",
      nodes: [{ node: id(primaries[0]!) }],
      mayHaveApplied: true
    })
    expect(marked.operation(profiles, adaBody).send(outside).answer.replied).toBe(2)
  })

  it.each([
    ["stops", () => stepped.nodes[primaries[0]! - 1]!.core.drain()],
    ["has a full disk", () => {
      const { storage } = stepped.nodes[primaries[0]! - 1]!.core.options
      const full = { kind: "full", detail: "of the test" }
      Object.assign(storage, {
        write: (_: unknown, done: (failure: unknown) => void) => done(full)
      })
    }]
  ])("hands a write to another one, where the first %s", (_, spoil) => {
    spoil()
    expect(stepped.write(outside, profiles, { ...ada, w: 2 }).answer.replied).toBe(2)
    expect(carriedOut()[primaries[1]! - 1]).toBe(1)
  })

  it("answers with the last refusal where all refuse", () => {
    for (const nodeNumber of primaries) stepped.nodes[nodeNumber - 1]!.core.drain()
    const { error } = stepped.write(outside, profiles, ada)
    expect(error).toBeInstanceOf(NodeUnavailable)
    expect(error).toMatchObject({ node: id(primaries[2]!), reason: "it is stopping" })
  })
})

/** Lets a node learn the incarnations of all primaries. */
const meet = () => {
  const stray = { _tag: "Forwarded", request: 0, body: new Uint8Array(0) } as const
  for (const nodeNumber of primaries) {
    stepped.nodes[nodeNumber - 1]!.core.link.send(id(outside), stray)
  }
  stepped.runtime.advance(1)
}

describe("a request that is forwarded", () => {
  beforeEach(() => {
    outside = stepped.nodesOf(shelves, "k").others[0]!
    primaries = stepped.nodesOf(shelves, "k").primaries
  })

  it("is not carried out under a mark of another incarnation", () => {
    const [nodeNumber] = primaries
    const { core } = stepped.nodes[nodeNumber! - 1]!
    const body = {
      key: "k",
      calls: [{ name: "visits.add", args: [1] }],
      operationId: { session: "s", sequence: 0 }
    }
    let sending = 0
    const ask = (mark: string) => {
      const asked = { action: "write", bucket: shelves.name, body: { ...body, mark } }
      const json = JSON.stringify({ ...asked, sending: ++sending })
      const message = { _tag: "Forward", request: 1, body: new TextEncoder().encode(json) } as const
      core.coordinator.handlers.Forward(message, id(outside), () => {})
    }
    const mark = core.replica.operations.mark()
    ask("")
    ask(mark.replace(/.\./u, "z."))
    expect(visits()).toEqual([])
    ask(mark)
    stepped.runtime.advance(100)
    expect(visits()).toMatchObject([{ visits: 1 }])
  })

  it("is passed over where its message comes again", () => {
    const [nodeNumber] = primaries
    const { core } = stepped.nodes[nodeNumber! - 1]!
    const body = {
      key: "k",
      calls: [{ name: "visits.add", args: [1] }],
      operationId: { session: "s", sequence: 0 },
      mark: core.replica.operations.mark()
    }
    const asked = { action: "write", bucket: shelves.name, body, sending: 7 }
    const bytes = new TextEncoder().encode(JSON.stringify(asked))
    const before = stepped.counts(nodeNumber!).writes
    for (let i = 0; i < 3; i++) {
      const message = { _tag: "Forward", request: 1, body: bytes } as const
      core.coordinator.handlers.Forward(message, id(outside), () => {})
    }
    expect(stepped.counts(nodeNumber!).writes).toBe(before + 1)
  })

  it.each([
    ["that names its operation", true],
    ["that does not", false]
  ])("is sent again where it or its answer was lost, and carried out once: one %s", (_, named) => {
    for (const lostAnswer of [false, true]) {
      let lost = 0
      stepped.loses = ({ from, to }) =>
        (lostAnswer ? to === id(outside) : from === id(outside)) && lost++ === 0
      const operationId = {
        session: "s",
        sequence: lost,
        at: stepped.runtime.now() + Number(lostAnswer)
      }
      const asked = stepped.write(outside, shelves, {
        ...visit,
        timeoutMillis: 3_000,
        ...(named ? { operationId: { ...operationId, sequence: Number(lostAnswer) } } : {})
      })
      stepped.runtime.advance(1_000)
      expect(lost).toBeGreaterThan(0)
      expect(asked.answer.values).toMatchObject([{ visits: lostAnswer ? 2 : 1 }])
    }
    expect(visits()).toMatchObject([{ visits: 2 }])
  })

  it("reaches the same node when the client asks again, though another is nearer by then", () => {
    meet()
    const request = {
      ...visit,
      w: 1,
      operationId: { session: "s", sequence: 1 }
    }
    stepped.loses = ({ to }) => to === id(outside)
    const asked = stepped.write(outside, shelves, request)
    stepped.runtime.advance(1_300)
    expect(asked.error).toMatchObject({ mayHaveApplied: true })
    const [first] = primaries.filter((nodeNumber) => carriedOut()[nodeNumber - 1]! > 0)
    stepped.loses = () => false
    for (const nodeNumber of primaries) {
      if (nodeNumber !== first) stepped.nodes[outside - 1]!.core.view.heard(id(nodeNumber), 0)
    }
    expect(stepped.write(outside, shelves, request).answer.values).toMatchObject([{ visits: 1 }])
    expect(carriedOut()[first! - 1]).toBeGreaterThan(1)
  })

  it("reaches the node that took it after the first refused, when the client asks again", () => {
    for (const nodeNumber of primaries) {
      stepped.nodes[outside - 1]!.core.view.heard(id(nodeNumber), 0)
    }
    const [refusing, taking] = primaries
    const marked = new MarkedClient(stepped)
    done(marked.operation(shelves, { ...visitBody, w: 1 }).send(outside))
    stepped.nodes[refusing! - 1]!.core.drain()
    stepped.loses = ({ from, to }) => from === id(taking!) && to !== id(outside)
    const operation = marked.operation(shelves, { ...visitBody, w: 1 })
    done(operation.send(outside))
    done(operation.send(outside))
    stepped.loses = () => false
    stepped.runtime.advance(1_000)
    expect(visits()).toMatchObject([{ visits: 2 }])
    expect(carriedOut()[taking! - 1]).toBe(2)
  })

  it("is in doubt where one sending is refused, and an earlier one was carried out", () => {
    const [taking] = primaries
    for (const nodeNumber of [...primaries].reverse()) {
      stepped.nodes[outside - 1]!.core.view.heard(id(nodeNumber), 0)
      stepped.runtime.advance(1)
    }
    meet()
    const marked = new MarkedClient(stepped)
    done(marked.operation(shelves, { ...visitBody, w: 1 }).send(outside))
    const operation = marked.operation(shelves, { ...visitBody, w: 1 })
    stepped.loses = ({ to }) => to === id(outside)
    const first = operation.send(outside)
    expect(carriedOut()[taking! - 1]).toBe(2)
    stepped.nodes[taking! - 1]!.core.drain()
    stepped.loses = () => false
    const again = operation.send(outside)
    stepped.runtime.advance(2_000)
    for (const sending of [first, again]) {
      expect(sending.outcome).toMatchObject({ mayHaveApplied: true })
    }
    expect(visits()).toMatchObject([{ visits: 2 }])
  })

  it("is refused by a node that does not hold it either", () => {
    const { coordinator } = stepped.nodes[outside - 1]!.core
    const outcomes: Array<unknown> = []
    const body = { key: "k", calls: [{ name: "visits.add", args: [1] }] }
    const asked = { action: "write", principal: anonymous, bucket: "shelves", body } as const
    coordinator.handle({ ...asked, forwarded: true }, {
      deliver: (outcome) => outcomes.push(outcome)
    })
    expect(outcomes).toMatchObject([{
      _tag: "NodeUnavailable",
      reason: expect.stringContaining("the nodes disagree about the ring")
    }])
  })

  it("is refused with an error where it is none, and does not go unanswered", () => {
    for (const text of ["", "{}", "[", "{\"action\":\"burn\",\"bucket\":\"b\",\"body\":{}}"]) {
      expect(readForward(new TextEncoder().encode(text))).toBeUndefined()
    }
    const answers: Array<unknown> = []
    const from = id(outside)
    const { core } = stepped.nodes[primaries[0]! - 1]!
    stepped.cluster.connect().subscribe(
      `everwrite.test.v1.peer.${from}.from.>`,
      ({ data }) => answers.push(Buffer.from(data).includes("InvalidRequest"))
    )
    stepped.runtime.runReady()
    const message = { _tag: "Forward", request: 1, body: Uint8Array.of(1, 2, 255) } as const
    core.coordinator.handlers.Forward(message, from, () => {})
    stepped.runtime.runReady()
    expect(answers).toEqual([true])
  })
})

describe("a forwarded request", () => {
  const bucket = BucketName.make("profiles")
  const body = { key: "k", calls: [{ name: "put", args: [{ name: "Ada" }] }] }

  it.each<[string, Principal | undefined]>([
    ["a NATS user", { _tag: "NatsUser", name: "ada" }],
    ["an anonymous client", undefined]
  ])("arrives with its principal: %s", (_, principal = anonymous) => {
    const { coordinator } = stepped.nodes[primaries[0]! - 1]!.core
    const taken: Array<Principal> = []
    const handle = coordinator.handle.bind(coordinator)
    coordinator.handle = (request, address) => {
      taken.push(request.principal)
      handle(request, address)
    }
    // Its mark is known, so nothing is asked twice.
    stepped.write(outside, profiles, ada)
    taken.splice(0)
    for (const action of ["write", "read"] as const) {
      const request = { action, bucket, body, principal }
      stepped.cluster.backends[outside - 1]!.request(request, () => {})
      stepped.runtime.runReady()
    }
    expect(taken).toEqual([principal, principal])
  })
})

describe("a document with one replica", () => {
  it("is read and written through every node", () => {
    for (const nodeNumber of [1, 2, 3, 4, 5]) {
      stepped.write(nodeNumber, single, {
        key: `k${nodeNumber}`,
        op: "put",
        args: [`v${nodeNumber}`]
      })
    }
    for (const nodeNumber of [1, 2, 3, 4, 5]) {
      for (const other of [1, 2, 3, 4, 5]) {
        expect(stepped.read(other, single, { key: `k${nodeNumber}` }).answer.values)
          .toEqual([`v${nodeNumber}`])
      }
    }
  })
})
