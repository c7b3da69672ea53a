// Checks that a store which was wiped, or lost the end of its log, is complete again once every
// complete owner has sent everything, and not a moment before.
import * as Schema from "effect/Schema"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { Filling } from "../../src/anti-entropy/Filling.ts"
import type { Completeness } from "../../src/core/model/Completeness.ts"
import { NodeId } from "../../src/core/model/Names.ts"
import { QuorumNotMet } from "../../src/core/model/StoreError.ts"
import * as Bucket from "../../src/core/strategy/Bucket.ts"
import * as Key from "../../src/core/strategy/Key.ts"
import { standingAlarms } from "../../src/node/EdgeStatus.ts"
import { MemoryDisk } from "../../src/storage/DirectStorage.ts"
import { node, SteppedCluster } from "../cluster/steppedCluster.ts"

const texts = Bucket.lww("texts", { key: Key.text, value: Schema.String })
const documents = 40

let stepped: SteppedCluster
/** The node that starts with an operator's word to accept the loss. */
let accepting: number | undefined
beforeEach(async () => {
  accepting = undefined
  const limits = { greetMillis: 60_000, exchangeMillis: 500, readAllPercent: 0 }
  const acceptsLoss = (id: string) => accepting !== undefined && id === node(accepting)
  stepped = await SteppedCluster.start({ nodes: 3, buckets: [texts], limits, acceptsLoss })
  stepped.runtime.advance(1_000)
})
afterEach(() => stepped.stop())

/** Loses all frames between the nodes and these. */
const away = (...numbers: ReadonlyArray<number>): void => {
  const gone = numbers.map(node)
  stepped.loses = ({ from, to }) => gone.includes(from) || gone.includes(to)
}

const core = (number: number) => stepped.nodes.find(({ id }) => id === node(number))!.core
const completeness = (number: number) => core(number).formation.completeness()

const write = (number: number, text: string): void => {
  for (let i = 0; i < documents; i++) {
    stepped.write(number, texts, { key: `k${i}`, op: "put", args: [text], w: 2, dw: 2 })
  }
  stepped.runtime.advance(3_000)
}

const wipe = async (number: number): Promise<void> => {
  stepped.cluster.crash(node(number))
  await stepped.restart(number, new MemoryDisk())
}

/** The texts that a strict read of each document shows where only n1 and another node answer. */
const strictTexts = (other: number): ReadonlySet<string> => {
  away(other === 2 ? 3 : 2)
  const shown = Array.from({ length: documents }, (_, i) => {
    const asked = stepped.read(1, texts, { key: `k${i}`, r: 2, pr: 2 })
    stepped.runtime.advance(3_000)
    return asked.texts.join()
  })
  away()
  return new Set(shown)
}

describe("a wiped node", () => {
  it("is complete once the others have sent everything, and says what they had", async () => {
    away(3)
    write(1, "without 3")
    away()
    await wipe(1)
    stepped.runtime.advance(300)
    expect(completeness(1)).toBe("incomplete")
    expect(core(1).antiEntropy.filling()).toMatchObject({ owned: 16 })
    stepped.runtime.advance(20_000)
    expect(completeness(1)).toBe("complete")
    expect(core(1).antiEntropy.filling()).toBeUndefined()
    expect(strictTexts(3)).toEqual(new Set(["without 3"]))
  })

  it("stays incomplete while one owner is away, which may have what it acknowledged", async () => {
    away(3)
    write(1, "without 3")
    away()
    // n3 has nothing of it, and n2 everything.
    away(2)
    await wipe(1)
    stepped.runtime.advance(60_000)
    expect(completeness(1)).not.toBe("complete")
    const asked = stepped.read(1, texts, { key: "k0", r: 2, pr: 2 })
    stepped.runtime.advance(3_000)
    expect(asked.error).toBeInstanceOf(QuorumNotMet)
    away()
    stepped.runtime.advance(60_000)
    expect(completeness(1)).toBe("complete")
    expect(strictTexts(3)).toEqual(new Set(["without 3"]))
  })

  it("of which an owner was wiped too is complete once the third has sent everything", async () => {
    write(1, "everywhere")
    await wipe(1)
    await wipe(2)
    stepped.runtime.advance(60_000)
    expect([1, 2, 3].map(completeness)).toEqual(["complete", "complete", "complete"])
    expect(strictTexts(2)).toEqual(new Set(["everywhere"]))
  })

  it("of which all owners were wiped waits for an operator, who accepts what is lost", async () => {
    write(1, "lost")
    for (const number of [1, 2, 3]) await wipe(number)
    stepped.runtime.advance(60_000)
    expect([1, 2, 3].map(completeness)).toEqual(["incomplete", "incomplete", "incomplete"])
    expect(core(1).antiEntropy.filling()).toEqual({
      filled: 0,
      orphaned: 16,
      owned: 16,
      unasked: 0
    })
    expect(standingAlarms(core(1))).toEqual([expect.stringContaining("--accept-loss")])
    away(3)
    write(1, "since then")
    away()
    accepting = 3
    stepped.cluster.crash(node(3))
    away(1, 2)
    await stepped.restart(3)
    stepped.runtime.advance(60_000)
    expect(completeness(3)).toBe("incomplete")
    away()
    stepped.runtime.advance(60_000)
    expect([1, 2, 3].map(completeness)).toEqual(["complete", "complete", "complete"])
    expect(strictTexts(3)).toEqual(new Set(["since then"]))
  })

  it("becomes equal to complete ones though another owner never sends it anything", async () => {
    write(1, "everywhere")
    await wipe(1)
    core(3).antiEntropy.close()
    stepped.runtime.advance(10_000)
    away(2, 3)
    stepped.write(1, texts, { key: "k0", op: "put", args: ["at n1 alone"], w: 1 })
    stepped.runtime.advance(3_000)
    away()
    stepped.runtime.advance(30_000)
    expect(completeness(1)).toBe("incomplete")
    expect(stepped.held(texts, "k0")[1]).toEqual(stepped.held(texts, "k0")[0])
  })

  it("is filled though every document changes all the time", async () => {
    write(1, "0")
    await wipe(1)
    for (let round = 1; round <= 100; round++) {
      for (let i = 0; i < documents; i++) {
        stepped.write(2, texts, { key: `k${i}`, op: "put", args: [`${round}`], w: 1 })
      }
      stepped.runtime.advance(200)
    }
    expect(completeness(1)).toBe("complete")
  })

  it("is complete after the next start too, and not where its former disk comes back", async () => {
    const former = stepped.nodes[0]!.disk
    write(1, "first")
    await wipe(1)
    stepped.runtime.advance(20_000)
    const filled = stepped.nodes.find(({ id }) => id === node(1))!.disk
    expect(completeness(1)).toBe("complete")
    stepped.cluster.crash(node(1))
    await stepped.restart(1)
    stepped.runtime.advance(300)
    expect(completeness(1)).toBe("complete")
    write(1, "second")
    stepped.cluster.crash(node(1))
    stepped.cluster.crash(node(2))
    await stepped.restart(1, former)
    stepped.runtime.advance(3_000)
    expect(completeness(1)).toBe("incomplete")
    stepped.cluster.crash(node(1))
    await stepped.restart(2)
    await stepped.restart(1, filled)
    stepped.runtime.advance(3_000)
    expect(completeness(1)).toBe("complete")
  })
})

describe("a partition of which every owner lacks something", () => {
  const [left, right] = [NodeId.make("left"), NodeId.make("right")]
  const fillingOf = (isLossAccepted: boolean) => {
    let isOn = true
    const filling = new Filling({
      isOn: () => isOn,
      incarnation: () => "first",
      owners: () => new Map([[0, [left, right]]]),
      otherMembers: () => [left, right],
      isUp: () => true,
      isLossAccepted,
      filled: () => {
        isOn = false
      }
    })
    for (const owner of [left, right]) {
      filling.kept(owner)
      filling.told(owner, "incomplete")
    }
    filling.received(0, left)
    filling.check()
    return filling
  }

  it("is filled where the loss is accepted, once each has sent what it has", () => {
    const filling = fillingOf(true)
    expect(filling.isOn()).toBe(true)
    expect(filling.next()).toBe(right)
    filling.received(0, right)
    filling.check()
    expect(filling.isOn()).toBe(false)
  })

  it("is not filled where it is not accepted, nor where an owner has not said so", () => {
    const waiting = fillingOf(false)
    waiting.received(0, right)
    waiting.check()
    expect(waiting.status()).toEqual({ filled: 0, orphaned: 1, owned: 1, unasked: 0 })
    const unsure = fillingOf(true)
    unsure.told(right, "unsure")
    unsure.received(0, right)
    unsure.check()
    expect(unsure.status()).toEqual({ filled: 0, orphaned: 0, owned: 1, unasked: 0 })
  })
})

describe("the members that fill a node", () => {
  const names = ["a", "b", "c"].map((name) => NodeId.make(name))
  const [first, second, third] = [names[0]!, names[1]!, names[2]!]
  let incarnation = "first"
  const fillingOf = () =>
    new Filling({
      isOn: () => true,
      incarnation: () => incarnation,
      owners: () => new Map([[0, [first, second]]]),
      otherMembers: () => names,
      isUp: () => true,
      isLossAccepted: false,
      filled: () => {}
    })
  /** All have told what they keep, and both owners have sent what they have. */
  const sentBy = (completeness: Completeness) => {
    const filling = fillingOf()
    for (const node of names) filling.kept(node)
    filling.told(first, completeness)
    filling.told(second, "complete")
    for (const node of [first, second]) filling.received(0, node)
    expect(filling.status()).toMatchObject({ filled: 1 })
    return filling
  }

  it("are asked in turn, though an exchange with one of them always fails", () => {
    const filling = fillingOf()
    expect([1, 2, 3, 4].map(() => filling.next())).toEqual([first, second, third, first])
  })

  it("are all asked what they keep for others before an owner has to send anything", () => {
    const filling = fillingOf()
    filling.kept(first)
    expect(filling.isAsking()).toBe(true)
    expect(filling.next()).toBe(second)
    filling.kept(second)
    expect(filling.isAsking()).toBe(true)
    expect(filling.next()).toBe(third)
    filling.kept(third)
    expect(filling.isAsking()).toBe(false)
    expect([1, 2].map(() => filling.next())).toEqual([first, second])
  })

  it("send as owners though another member never says what it keeps for others", () => {
    const filling = fillingOf()
    expect([1, 2, 3].map(() => filling.next())).toEqual([first, second, third])
    expect(filling.isAsking()).toBe(false)
    filling.kept(first)
    filling.kept(second)
    expect([1, 2, 3].map(() => filling.next())).toEqual([first, second, third])
    for (const node of [first, second]) filling.received(0, node)
    expect(filling.next()).toBe(third)
    filling.kept(third)
    expect([1, 2].map(() => filling.next())).toEqual([first, second])
  })

  it("send once more where an owner that lacked something has become complete", () => {
    const filling = sentBy("incomplete")
    filling.told(first, "complete")
    expect(filling.status()).toMatchObject({ filled: 0 })
    expect(filling.next()).toBe(first)
    filling.received(0, first)
    expect(filling.status()).toMatchObject({ filled: 1 })
  })

  it("send what they have though they lack something themselves", () => {
    const filling = fillingOf()
    for (const node of names) filling.kept(node)
    filling.told(first, "incomplete")
    filling.told(second, "complete")
    filling.received(0, second)
    expect(filling.status()).toMatchObject({ filled: 0 })
    expect(filling.next()).toBe(first)
    filling.received(0, first)
    expect(filling.status()).toMatchObject({ filled: 1 })
  })

  it("send once more after a commit of the node failed, which may have had a part of it", () => {
    const filling = sentBy("complete")
    expect(filling.isWaiting()).toBe(false)
    incarnation = "second"
    filling.check()
    expect(filling.isWaiting()).toBe(true)
    expect(filling.status()).toMatchObject({ filled: 0 })
  })

  it("send once more where that owner was unsure before it was complete", () => {
    const filling = sentBy("incomplete")
    filling.told(first, "unsure")
    filling.told(first, "complete")
    expect(filling.status()).toMatchObject({ filled: 0 })
  })

  it("have sent everything once the owners did, after each told what it keeps for others", () => {
    const filling = fillingOf()
    for (const node of [first, second]) {
      filling.kept(node)
      filling.told(node, "complete")
      filling.received(0, node)
    }
    expect(filling.status()).toEqual({ filled: 0, orphaned: 0, owned: 1, unasked: 1 })
    filling.kept(third)
    expect(filling.status()).toEqual({ filled: 0, orphaned: 0, owned: 1, unasked: 0 })
    for (const node of [first, second]) filling.received(0, node)
    expect(filling.status()).toEqual({ filled: 1, orphaned: 0, owned: 1, unasked: 0 })
    expect(filling.isWaiting()).toBe(false)
  })
})
