// Checks that no turn of a node is long, however many operations a request has and however large
// its document is, where that is in memory. It counts work, since times say more about the machine.
import { countWork, type Work } from "../tooling/countWork.ts"
import * as Schema from "effect/Schema"
import { afterAll, describe, expect, it } from "vitest"
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Crdt from "../../src/core/strategy/Crdt.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

const tags = Bucket.crdt("tags", { key: Key.text, type: Crdt.set(Schema.String) })

const people = Bucket.crdt("people", {
  key: Key.text,
  type: Crdt.map(
    Crdt.document({ name: Crdt.register(Schema.String), tags: Crdt.set(Schema.String) })
  )
})

/** 20 ms, at the 10 ns that a block takes here where nothing is counted. */
const blocksMax = 2_000_000

const measured: Array<string> = []

const check = (title: string, work: Work): void => {
  measured.push(`${title}: ${work.blocks} blocks, ${work.copied} copied`)
  expect(work.blocks).toBeLessThan(blocksMax)
}

class LongTurns {
  readonly #cluster: SteppedCluster

  constructor(cluster: SteppedCluster) {
    this.#cluster = cluster
    // The other nodes would do their work in the same turns.
    cluster.loses = () => true
  }

  static async start(): Promise<LongTurns> {
    const limits = { cacheBytesMax: 2 ** 30 }
    return new LongTurns(await SteppedCluster.start({ nodes: 3, buckets: [tags, people], limits }))
  }

  /** The longest turn from the request to its answer. */
  longest(
    action: "read" | "write",
    bucket: { readonly name: string },
    calls: NonNullable<RequestBody["calls"]>
  ): Work {
    const { cluster: { backends }, runtime } = this.#cluster
    const body: RequestBody = action === "read"
      ? { key: "k", consistency: "available" }
      : { key: "k", calls, consistency: "available" }
    const outcomes: Array<unknown> = []
    const request = { action, bucket: BucketName.make(bucket.name), body }
    const turns = [countWork(() => {
      backends[0]!.request(request, (outcome) => outcomes.push(outcome))
    })]
    let tasks: number
    do {
      tasks = 0
      turns.push(countWork(() => {
        tasks = runtime.endTurn()
      }))
    } while (tasks > 0)
    expect(outcomes).toEqual([expect.objectContaining({ replied: 1 })])
    return turns.reduce((longest, turn) => turn.blocks > longest.blocks ? turn : longest)
  }

  stop(): void {
    this.#cluster.stop()
  }
}

const many = 1_000

const times = <A>(count: number, make: (i: number) => A): ReadonlyArray<A> =>
  Array.from({ length: count }, (_, i) => make(i))

const add = (i: number) => ({ name: "add", args: [`e${i}`] })
const remove = (i: number) => ({ name: "remove", args: [`e${i}`] })
const write = (i: number) =>
  i % 2 === 0
    ? { name: "name.set", args: [`p${i % 5_000}`, `n${i}`] }
    : { name: "tags.add", args: [`p${i % 5_000}`, `t${i}`] }

afterAll(() => {
  if (process.env["EVERWRITE_WORK"] !== undefined) console.log(measured.join("\n"))
})

describe("no turn is longer than 20 ms", () => {
  it("for edits, reads and the deletion of a set of 10,000", async () => {
    const turns = await LongTurns.start()
    for (let i = 0; i < 10; i++) {
      turns.longest("write", tags, times(many, (j) => add(i * many + j)))
    }
    check("1,000 additions", turns.longest("write", tags, times(many, (i) => add(20_000 + i))))
    check("1,000 removals", turns.longest("write", tags, times(many, remove)))
    check("a read", turns.longest("read", tags, []))
    check("the deletion", turns.longest("write", tags, [{ name: "delete", args: [] }]))
    turns.stop()
  }, 60_000)

  it("for edits and reads of a map of 5,000 documents", async () => {
    const turns = await LongTurns.start()
    for (let i = 0; i < 10; i++) {
      turns.longest("write", people, times(many, (j) => write(i * many + j)))
    }
    check("1,000 writes", turns.longest("write", people, times(many, write)))
    check("a read", turns.longest("read", people, []))
    turns.stop()
  }, 60_000)
})
