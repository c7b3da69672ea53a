// Checks that documents in many parts come through a network that loses some of them, in time.
import { afterEach, expect, it } from "vitest"
import { stream } from "../../src/testing/simulator/SeededRandom.ts"
import { buckets, profiles } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

const maxPayload = 4_096
const lossShare = 0.05
const attempts = 40

let stepped: SteppedCluster
afterEach(() => stepped.stop())

const start = async () => {
  stepped = await SteppedCluster.start({ nodes: 3, buckets, maxPayload })
}

/** Frames are lost by chance, the same each time. */
const lose = () => {
  const random = stream(3, "loss")
  stepped.loses = () => random.chance(lossShare)
}

/** A value of 38 parts. */
const large = (seed: number) => ({ name: `${seed} `.padEnd(38 * (maxPayload - 320) - 500, "x") })

it("a write of 38 parts reaches all replicas in time, 40 times of 40, at 5 % loss", async () => {
  await start()
  lose()
  const asked = Array.from({ length: attempts }, (_, i) => {
    const one = stepped.write(1, profiles, {
      key: `k${i}`,
      op: "put",
      args: [large(i)],
      w: "all",
      timeoutMillis: 1_000
    })
    stepped.runtime.advance(1_100)
    return one
  })
  expect(asked.filter(({ outcomes }) => !(outcomes[0] instanceof Error)).length).toBe(attempts)
})

it("a read of 38 parts from two replicas comes in time, 40 times of 40, at 5 % loss", async () => {
  await start()
  for (let i = 0; i < attempts; i++) {
    stepped.cut(1)
    stepped.write(2, profiles, { key: `k${i}`, op: "put", args: [large(i)], w: 2 })
    stepped.runtime.advance(2_500)
    stepped.heal()
  }
  lose()
  const asked = Array.from({ length: attempts }, (_, i) => {
    const one = stepped.read(1, profiles, { key: `k${i}`, r: "all", timeoutMillis: 1_000 })
    stepped.runtime.advance(1_100)
    return one
  })
  expect(asked.filter(({ outcomes }) => !(outcomes[0] instanceof Error)).length).toBe(attempts)
})
