// Checks that an answer which is kept with a document is the one that would be made anew.
import { createSecretKey } from "node:crypto"
import { afterEach, beforeEach, expect, it } from "vitest"
import * as CausalContext from "../../src/core/clock/CausalContext.ts"
import { tokenKey } from "../../src/core/clock/CausalContext.ts"
import type { Json } from "../../src/core/codec/Json.ts"
import * as Document from "../../src/core/crdt/Document.ts"
import { lan } from "../../src/core/model/Limits.ts"
import type { Any } from "../../src/core/strategy/Bucket.ts"
import * as Buckets from "../../src/core/strategy/Buckets.ts"
import { answerOf } from "../../src/coordinator/Answer.ts"
import { KeptAnswers } from "../../src/coordinator/KeptAnswers.ts"
import { buckets, notes, profiles, scores, shelves } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
beforeEach(async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets })
})
afterEach(() => stepped.stop())

const known = Buckets.make(buckets)
const seal = { cluster: "test", keys: [tokenKey(createSecretKey(Buffer.alloc(32, 7)))] }

const readOf = (bucket: Any, partition: string) => ({
  bucket: known.get(bucket.name)!,
  key: { partition, sort: "" },
  after: CausalContext.nothing
})

const heldOf = (bucket: Any, key = "k") => stepped.held(bucket, key)[0]!
const showing = (document: Document.Document, merge = true, replied = 2) =>
  ({ seal, merge, nowMillis: 0, document, replied }) as const

/** Asks three times, so that the second and the third may be answered by what is kept. */
const expectAlike = (
  kept: KeptAnswers,
  read: ReturnType<typeof readOf>,
  options: Parameters<typeof answerOf>[1]
) => {
  const made = answerOf(read, options)
  for (let i = 0; i < 3; i++) expect(kept.answerOf(read, options)).toEqual(made)
}

it("a kept answer is the one that would be made, for every bucket, key, count and state", () => {
  const kept = new KeptAnswers(lan.node)
  const states = [Document.empty]
  const write = (bucket: Any, op: string, ...args: ReadonlyArray<Json>) => {
    stepped.write(1, bucket, { key: "k", op, args, w: "all" })
    states.push(heldOf(bucket))
  }
  write(profiles, "put", { name: "Ada" })
  write(profiles, "put", { name: "Grace".padEnd(5_000, "e") })
  write(profiles, "delete")
  write(notes, "put", "x")
  write(notes, "put", "y")
  write(scores, "put", 3)
  write(scores, "put", 5)
  write(shelves, "books.add", "Emma")
  write(shelves, "visits.add", 2)
  expect(heldOf(notes).store).toMatchObject({ siblings: { length: 2 } })
  for (const turn of [1, 2]) {
    for (const document of states) {
      for (const bucket of [profiles, notes, scores, shelves]) {
        for (const key of ["k", "other"]) {
          for (const merge of [true, false]) {
            expectAlike(kept, readOf(bucket, key), showing(document, merge, turn))
          }
        }
      }
    }
  }
})

it("of an unchanged document is neither viewed nor sealed again", () => {
  const kept = new KeptAnswers(lan.node)
  stepped.write(1, profiles, { key: "k", op: "put", args: [{ name: "Ada" }] })
  const read = readOf(profiles, "k")
  const document = heldOf(profiles)
  const first = kept.answerOf(read, showing(document))
  expect(kept.answerOf(read, showing(document))).toBe(first)
  stepped.write(1, profiles, { key: "k", op: "put", args: [{ name: "Grace" }] })
  expect(kept.answerOf(read, showing(heldOf(profiles)))).not.toEqual(first)
})

it("a long answer is not kept, nor is one that time has a say in", () => {
  const kept = new KeptAnswers({ keptAnswerCharactersMax: 20 })
  stepped.write(1, profiles, { key: "k", op: "put", args: [{ name: "Ada".padEnd(20, "a") }] })
  const read = readOf(profiles, "k")
  const document = heldOf(profiles)
  const first = kept.answerOf(read, showing(document))
  expect(kept.answerOf(read, showing(document))).not.toBe(first)
  stepped.write(1, profiles, { key: "k", op: "put", args: [{ name: "Ada" }] })
  const expiry = [{ actor: "n1.i.1", counter: 1, at: 1_000 }]
  const expiring = { ...heldOf(profiles), expiry }
  for (const nowMillis of [0, 2_000, 500]) {
    expectAlike(kept, read, { ...showing(expiring), nowMillis })
  }
})
