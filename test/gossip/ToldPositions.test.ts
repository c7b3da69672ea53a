// Checks the memory of other nodes' positions: the greatest counts, few writes keep it.
import { describe, expect, it } from "vitest"
import { cannotTell } from "../../src/core/membership/Formation.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { storeTag, ToldPositions } from "../../src/gossip/ToldPositions.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const peer = NodeId.make("n2")
const store = "0123456789abcdefghijklmnop"
const at = (changes: number, storeId = store) => ({ store: storeTag(storeId), changes })

const telling = (
  limits: { toldMillis: number; toldStoresMax: number },
  before?: string,
  isDamaged = false
) => {
  const runtime = new SteppedRuntime()
  const kept: Array<string> = []
  let isFit = true
  const keep = (text: string, done: (isKept: boolean) => void) => {
    if (isFit) kept.push(text)
    done(isFit)
  }
  const told = new ToldPositions({ runtime, limits, note: { text: before, isDamaged, keep } })
  return { kept, runtime, told, break: (isBroken: boolean) => void (isFit = !isBroken) }
}

describe("positions that were told", () => {
  const usual = { toldMillis: 100, toldStoresMax: 10 }

  it("are remembered by store, the greatest of each; 0 tells nothing", () => {
    const { told } = telling(usual)
    for (const changes of [3, 9, 5, 0]) told.heard(peer, at(changes))
    told.heard(peer, at(2, "another"))
    expect(told.of(peer, store)).toBe(9)
    expect(told.of(peer, "another")).toBe(2)
    expect(told.of(peer, "unknown")).toBe(0)
    expect(told.of(NodeId.make("n3"), store)).toBe(0)
  })

  it("are written once in a while, not at all where nothing is new, and read again", () => {
    const { kept, runtime, told } = telling(usual)
    for (const changes of [1, 2, 3]) told.heard(peer, at(changes))
    runtime.advance(99)
    expect(kept).toEqual([])
    runtime.advance(1_000)
    expect(kept).toHaveLength(1)
    told.heard(peer, at(3))
    runtime.advance(1_000)
    expect(kept).toHaveLength(1)
    expect(telling(usual, kept[0]).told.of(peer, store)).toBe(3)
  })

  it("of stores not heard of since a memory that cannot be read are unknown, also later", () => {
    for (const [text, isDamaged] of [["noise\nn2 x 7", false], [undefined, true]] as const) {
      const { kept, told } = telling(usual, text, isDamaged)
      expect(told.of(peer, store)).toBe(cannotTell)
      told.heard(peer, at(9))
      told.close()
      const later = telling(usual, kept[0]).told
      expect([later.of(peer, store), later.of(peer, "another")]).toEqual([9, cannotTell])
    }
  })

  it("are written at the end, and again after a disk that failed", () => {
    const telled = telling(usual)
    telled.break(true)
    telled.told.heard(peer, at(1))
    telled.runtime.advance(1_000)
    expect(telled.kept).toEqual([])
    telled.break(false)
    telled.told.close()
    expect(telled.kept).toHaveLength(1)
  })

  it("are as many as fit; those not heard of for longest are forgotten", () => {
    const { told } = telling({ ...usual, toldStoresMax: 2 })
    for (const name of ["a", "b"]) told.heard(peer, at(1, name))
    told.heard(peer, at(2, "a"))
    told.heard(peer, at(1, "c"))
    expect(["a", "b", "c"].map((name) => told.of(peer, name))).toEqual([2, 0, 1])
  })
})
