// Checks how `explain` tells people that owners hold different versions.
import { expect, it } from "vitest"
import { differenceOf, keptLines } from "../../src/cli/BucketCommands.ts"
import type { ReplicaExplanation } from "../../schemas/Explanation.ts"

const replica = (
  node: string,
  outcome: ReplicaExplanation["outcome"],
  digest = ""
): ReplicaExplanation => ({ node, outcome, digest, context: [], values: [], bytes: 0 })

const told = (...replicas: ReadonlyArray<ReplicaExplanation>): string =>
  differenceOf({ bucket: "carts", replicas })

it("explain names the nodes that hold each version, and the way to make them equal", () => {
  const [one, two] = [replica("n1", "found", "a"), replica("n2", "found", "a")]
  expect(told(one, two, replica("n3", "absent"))).toBe(
    "the replicas are not equal: n1 n2 | n3 hold different versions; the nodes compare them "
      + "now and then, and everwrite sync carts does it now"
  )
})

it("explain says nothing of a replica that gave no answer", () => {
  expect(told(replica("n1", "found", "a"), replica("n2", "unreachable")))
    .toBe("the replicas are not known to be equal")
})

it("explain says who keeps a copy for which owner, and who did not tell", () => {
  const kept = [{ node: "n4", owner: "n3", ageMillis: 12_340, bytes: 184 }]
  expect(keptLines({ hints: { kept, untold: ["n5", "n6"] } })).toEqual([
    "n4 keeps 184 bytes of it for n3, since 12.3 s ago",
    "n5 n6 did not tell what is kept there"
  ])
  expect(keptLines({ hints: { kept: [], untold: [] } })).toEqual([])
  expect(keptLines({})).toEqual([])
})
