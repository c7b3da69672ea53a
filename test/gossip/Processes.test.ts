// Checks that of two processes under one node id both notice, and exactly one goes on.
import * as fc from "fast-check"
import { beforeEach, describe, expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import { ClusterName, NodeId } from "../../src/core/model/Names.ts"
import {
  goesOn,
  probe,
  type Process,
  Processes,
  type ProcessesOptions
} from "../../src/gossip/Processes.ts"
import { makeMemoryBroker, type MemoryBroker } from "../../src/transport/MemoryTransport.ts"
import { Subjects } from "../../src/transport/Subjects.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"
import { sealOf, testSeal } from "../transport/testSeals.ts"

const cluster = ClusterName.make("test")
const node = NodeId.make("n1")
const subject = new Subjects(cluster).peer({ to: node, from: node })
const { probeMillis, processCheckMillis } = lan.node

let runtime: SteppedRuntime
let broker: MemoryBroker
beforeEach(() => {
  runtime = new SteppedRuntime()
  broker = makeMemoryBroker(runtime)
})

const early: Process = { startedAs: "000000000000001", storeId: "one", isNamed: false }
const late: Process = { startedAs: "000000000000002", storeId: "two", isNamed: false }

const optionsOf = (own: Process, changes: Partial<ProcessesOptions> = {}): ProcessesOptions => ({
  runtime,
  transport: broker.connect(),
  cluster,
  node,
  partitionCount: 16,
  seal: testSeal,
  own: () => own,
  limits: lan.node,
  ...changes
})

/** A process that serves, with the processes because of which it stopped. */
class Serving {
  readonly stoppedBy: Array<Process> = []
  otherKeys = 0
  readonly processes: Processes
  readonly options: ProcessesOptions

  constructor(own: Process, changes: Partial<ProcessesOptions> = {}) {
    this.options = optionsOf(own, changes)
    this.processes = new Processes({
      ...this.options,
      onOtherKey: () => this.otherKeys++,
      onSuperseded: (other) => {
        this.stoppedBy.push(other)
        this.processes.close()
      }
    })
    runtime.runReady()
  }
}

/** The answers to one question at a start, and how long they took. */
const probed = (own: Process, changes: Partial<ProcessesOptions> = {}) => {
  const answers: Array<Process | undefined> = []
  const begun = runtime.elapsed()
  probe(optionsOf(own, changes), (other) => answers.push(other))
  runtime.runReady()
  const atOnce = answers.length
  runtime.advance(probeMillis + 1)
  return { answers, atOnce, millis: runtime.elapsed() - begun }
}

describe("a start", () => {
  it("is not delayed where nobody listens under its id, as after a crash", () => {
    expect(probed(late)).toMatchObject({ answers: [undefined], atOnce: 1 })
  })

  it("is told of the process that serves under its id, which notices and goes on", () => {
    const serving = new Serving(early)
    expect(probed(late)).toMatchObject({ answers: [early], atOnce: 1 })
    expect(serving.processes.met).toBe(1)
    expect(serving.stoppedBy).toEqual([])
  })

  it("is delayed by a bounded time where the one who listens does not answer", () => {
    broker.connect().subscribe(subject, () => {})
    expect(probed(late)).toMatchObject({ answers: [undefined], atOnce: 0 })
  })

  it("is not refused by a process that stopped", () => {
    new Serving(early).processes.close()
    expect(probed(late).answers).toEqual([undefined])
  })

  it("is not refused by a process of another cluster, which notices the question", () => {
    const serving = new Serving(early, { seal: sealOf("of another cluster") })
    expect(probed(late).answers).toEqual([undefined])
    expect(serving.otherKeys).toBe(1)
  })

  it("is not refused by answers to others, or by noise", () => {
    const transport = broker.connect()
    transport.subscribe(subject, ({ data, reply }) => {
      if (reply === undefined) return
      transport.publish(reply, data)
      transport.publish(reply, Uint8Array.of(3, 1, 2))
      transport.publish(reply, new Uint8Array(0))
    })
    expect(probed(late).answers).toEqual([undefined])
  })
})

describe("two processes that meet", () => {
  it("agree on which of them goes on, whatever they know", () => {
    const process = fc.record({
      startedAs: fc.constantFrom("000000000000001", "000000000000002", "000000000000003"),
      storeId: fc.constantFrom("one", "two"),
      isNamed: fc.boolean()
    })
    fc.assert(fc.property(process, process, (left, right) => {
      fc.pre(left.startedAs !== right.startedAs)
      expect(goesOn(left, right)).toBe(!goesOn(right, left))
    }))
  })

  it.each([
    ["started first, where no certificate tells", early, late],
    ["has the store that the certificate names", { ...late, isNamed: true }, early],
    [
      "started first, where the certificate names the store of both",
      { ...early, isNamed: true },
      { ...late, isNamed: true }
    ]
  ])("go on as the one that %s", (_, winner, loser) => {
    const [first, second] = [new Serving(winner), new Serving(loser)]
    runtime.advance(processCheckMillis)
    expect(first.stoppedBy).toEqual([])
    expect(second.stoppedBy).toEqual([winner])
    expect(first.processes.met).toBeGreaterThan(0)
    expect(second.processes.met).toBeGreaterThan(0)
    expect(second.processes.superseded).toEqual(winner)
  })

  it("both notice, also where they could not reach each other at first", () => {
    const [first, second] = [new Serving(late), new Serving(early)]
    broker.disconnect(first.options.transport)
    runtime.advance(processCheckMillis * 3)
    broker.reconnect(first.options.transport)
    runtime.advance(processCheckMillis * 2)
    expect(first.stoppedBy).toEqual([early])
    expect(second.stoppedBy).toEqual([])
    expect(second.processes.met).toBeGreaterThan(0)
  })
})

it("a process alone meets nobody, however long it runs, and nobody where it ran before", () => {
  const first = new Serving(early)
  runtime.advance(processCheckMillis * 10)
  first.processes.close()
  const second = new Serving(late)
  runtime.advance(processCheckMillis * 10)
  expect(first.processes.met + second.processes.met).toBe(0)
})
