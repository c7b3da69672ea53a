/**
 * Lends fuzzers a cluster whose turns end when they say so, with documents of every kind in it, and
 * with the frames that its nodes exchanged for them.
 */
import type { Message, TransportService } from "../../src/transport/Transport.ts"
import { buckets, notes, profiles, rooms, scores, shelves } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"
import { alarmsAt, cpuMillis, diskDigest, Fault, turnMillisMax } from "./judging.ts"

const turnsMax = 100_000

/** Bytes of a message, so that a long document leaves in parts. */
export const maxPayload = 2 ** 16

/** The key of every document, and a session that has written each. */
export const room = { hotel: "Ritz", floor: 3, name: "Suite" }

export class FuzzedCluster {
  readonly stepped: SteppedCluster
  /** A client of the broker that is no node. */
  readonly outside: TransportService
  /** Every frame between nodes so far, in order. */
  readonly captured: ReadonlyArray<Message>
  /** Contexts that reads have returned. */
  readonly contexts: ReadonlyArray<string>
  readonly #failures: ReadonlyArray<string>
  longestTurn = 0

  private constructor(
    stepped: SteppedCluster,
    outside: TransportService,
    captured: ReadonlyArray<Message>,
    failures: ReadonlyArray<string>
  ) {
    this.stepped = stepped
    this.outside = outside
    this.captured = captured
    this.#failures = failures
    this.contexts = this.#fill()
  }

  static async start(): Promise<FuzzedCluster> {
    const failures: Array<string> = []
    const stepped = await SteppedCluster.start({
      nodes: 4,
      buckets,
      maxPayload,
      // Few steps a turn, since the clock by which a turn ends stands still here.
      limits: { turnStepsMax: 8 },
      onFailure: (failure, where) => {
        failures.push(`${where}: ${failure instanceof Error ? failure.stack : String(failure)}`)
      }
    })
    const outside = stepped.cluster.connect()
    const captured: Array<Message> = []
    outside.subscribe("everwrite.test.v1.peer.*.from.*", (message) => captured.push(message))
    stepped.cluster.crash(stepped.nodes[3]!.id)
    await stepped.restart(4)
    return new FuzzedCluster(stepped, outside, captured, failures)
  }

  /** Documents of all kinds, written, forwarded, read, listed, explained and retried. */
  #fill(): ReadonlyArray<string> {
    const { stepped } = this
    const contexts: Array<string> = []
    for (const at of [1, 2, 3, 4]) {
      const key = `k${at % 2}`
      stepped.write(at, shelves, { key, op: "visits.add", args: [at * 1_000], w: "all" })
      stepped.write(at, shelves, { key, op: "books.add", args: [`b${at}`], w: "all" })
      stepped.write(at, shelves, { key, op: "label.set", args: [{ a: [at, null] }], w: "all" })
      stepped.write(at, notes, { key, op: "put", args: [`note ${at}`], w: "all" })
      stepped.write(at, profiles, { key, op: "put", args: [{ name: `name ${at}` }], w: "all" })
      stepped.write(at, scores, { key, op: "put", args: [at], w: "all" })
      stepped.write(at, rooms, { key: room, op: "put", args: [{ beds: at }], w: "all" })
      for (const bucket of [shelves, notes]) {
        const read = stepped.read(at, bucket, { key, r: "all" })
        contexts.push(read.answer.context)
        stepped.read(at, bucket, { key, r: "all", after: [read.answer.context] })
      }
    }
    stepped.write(1, notes, { key: "long", op: "put", args: ["x".repeat(150_000)], w: "all" })
    const operationId = { session: "s", sequence: 1 }
    const again = { key: "k1", op: "visits.add", args: [1], operationId } as const
    stepped.write(1, shelves, again)
    stepped.write(2, shelves, again)
    stepped.runtime.advance(2_000)
    return contexts
  }

  /** Ends turns until nothing is left to do, each of which must be short. */
  run(input: string | Uint8Array): void {
    const { runtime } = this.stepped
    for (let turns = 0;; turns++) {
      if (turns > turnsMax) throw new Fault("the turns never end", input)
      const before = cpuMillis()
      const carriedOut = runtime.endTurn()
      const took = cpuMillis() - before
      this.longestTurn = Math.max(this.longestTurn, took)
      if (took > turnMillisMax) throw new Fault(`a turn takes ${took.toFixed(0)} ms`, input)
      if (carriedOut === 0) break
    }
    const [failure] = this.#failures
    if (failure !== undefined) throw new Fault(`an exception in ${failure}`, input)
  }

  digests(): ReadonlyArray<string> {
    return this.stepped.nodes.map(diskDigest)
  }

  /** Throws where a node raises an alarm that is not among these. */
  checkAlarms(allowed: ReadonlySet<string>): void {
    for (const node of this.stepped.nodes) {
      const raised = alarmsAt(node).filter((name) => !allowed.has(name))
      if (raised.length > 0) throw new Fault(`node ${node.id} raises ${raised.join(", ")}`)
    }
  }

  /** Throws where a node keeps more than its limits say. */
  checkKept(): void {
    for (const { core, id } of this.stepped.nodes) {
      const { limits } = core.options
      const { partBytes } = core.link.stats()
      if (partBytes > limits.reassemblyBytesMax) throw new Fault(`${id} keeps ${partBytes} bytes`)
      const { bytes } = core.work.stats
      if (bytes > limits.workBytesMax) throw new Fault(`${id} has ${bytes} bytes of work`)
    }
  }

  /** Throws where a node does not carry out a write with all replicas. */
  checkServes(): void {
    const { stepped } = this
    for (const at of [1, 2, 3, 4]) {
      const body = { key: "honest", op: "visits.add", args: [1], w: "all" } as const
      const asked = stepped.write(at, shelves, body)
      stepped.runtime.advance(2_000)
      if (asked.isOpen) throw new Fault(`node ${at} does not answer`)
      const [outcome] = asked.outcomes
      if (outcome instanceof Error) throw new Fault(`node ${at} fails: ${outcome.message}`)
    }
  }

  stop(): void {
    this.stepped.stop()
  }
}
