// Checks that a cluster's secrets become the keys of its tokens, alike on every node.
import * as Redacted from "effect/Redacted"
import { expect, it } from "vitest"
import * as CausalContext from "../../src/core/clock/CausalContext.ts"
import { accepted, type ClusterKeys } from "../../src/core/clock/ClusterKeys.ts"
import * as VersionVector from "../../src/core/clock/VersionVector.ts"
import { ClusterName } from "../../src/core/model/Names.ts"
import { derived, toKeys } from "../../src/node/ClusterKey.ts"

const secrets = {
  current: Redacted.make("the present secret"),
  previous: Redacted.make("the former secret")
}
const idsOf = (keys: ClusterKeys) => accepted(keys).map(({ id }) => id)
const keyOf = (secret: Redacted.Redacted) => toKeys({ current: secret })

it("the keys that are accepted are the present one and, where there is one, the former", () => {
  const { current, previous } = secrets
  expect(idsOf(toKeys(secrets))).toEqual([...idsOf(keyOf(current)), ...idsOf(keyOf(previous))])
  expect(accepted(keyOf(current))).toHaveLength(1)
})

it("one secret makes one key wherever it is given, and another secret another", () => {
  const { current, previous } = secrets
  const [one, again, other] = [keyOf(current), keyOf(current), keyOf(previous)]
  expect(one.current.key.equals(again.current.key)).toBe(true)
  expect(idsOf(one)).toEqual(idsOf(again))
  expect(one.current.key.equals(other.current.key)).toBe(false)
})

it("a node seals a context under the present key, and opens one of either", () => {
  const { current, previous } = secrets
  const key = { partition: "k", sort: "" }
  const scope = { cluster: "c", bucket: "b", key }
  const context = { vector: VersionVector.empty, stamp: 7 }
  const sealedBy = (keys: ClusterKeys) =>
    CausalContext.encode(context, { ...scope, keys: accepted(keys) })
  const opens = (keys: ClusterKeys, token: string) =>
    typeof CausalContext.decode(token, { ...scope, keys: accepted(keys) }) === "object"
  const rotating = toKeys(secrets)
  expect(opens(rotating, sealedBy(keyOf(previous)))).toBe(true)
  expect(opens(rotating, sealedBy(keyOf(current)))).toBe(true)
  expect(opens(keyOf(current), sealedBy(rotating))).toBe(true)
  expect(opens(keyOf(previous), sealedBy(rotating))).toBe(false)
})

it("a cluster without a secret has a key that follows from its name", () => {
  const [a, b] = ["alpha", "beta"].map((name) => keyOf(derived(ClusterName.make(name))).current)
  expect(a!.id).not.toBe(b!.id)
})
