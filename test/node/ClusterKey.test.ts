// Checks that a cluster's secrets become the keys of its tokens, alike on every node.
import * as Redacted from "effect/Redacted"
import { expect, it } from "vitest"
import { ClusterName } from "../../src/core/model/Names.ts"
import { derived, toKeys } from "../../src/node/ClusterKey.ts"

const secrets = [Redacted.make("the present secret"), Redacted.make("the former secret")] as const
const idsOf = (keys: ReturnType<typeof toKeys>) => keys.map(({ id }) => id)

it("keys stand in the order of their secrets, so that the first of them seals", () => {
  const [present, former] = secrets
  expect(idsOf(toKeys([present, former]))).toEqual([
    ...idsOf(toKeys([present])),
    ...idsOf(toKeys([former]))
  ])
})

it("one secret makes one key wherever it is given, and another secret another", () => {
  const [present, former] = secrets
  const [one, again, other] = [toKeys([present]), toKeys([present]), toKeys([former])]
  expect(one[0]!.key.equals(again[0]!.key)).toBe(true)
  expect(idsOf(one)).toEqual(idsOf(again))
  expect(one[0]!.key.equals(other[0]!.key)).toBe(false)
})

it("a cluster without a secret has a key that follows from its name", () => {
  const [a, b] = ["alpha", "beta"].map((name) => toKeys([derived(ClusterName.make(name))])[0]!)
  expect(a!.id).not.toBe(b!.id)
})
