// Forms clusters in many orders of events: messages are lost and repeated, nodes restart, lose the
// end of their log, and are wiped in the midst.
import { describe, expect, it } from "vitest"
import * as Certificate from "../../../src/core/membership/Certificate.ts"
import * as Formation from "../../../src/core/membership/Formation.ts"
import * as StandingCodec from "../../../src/core/membership/StandingCodec.ts"
import { NodeId } from "../../../src/core/model/Names.ts"
import { generator } from "../quorum/Exploration.ts"
import { FormationModel } from "./FormationModel.ts"

interface Walk {
  readonly nodes: number
  readonly steps: number
  readonly forced?: ReadonlyArray<number>
  readonly wipes?: number
  readonly losses?: number
  readonly fills?: boolean
}

/** A walk of events that chance picks, the same for one seed. */
const walk = (seed: number, options: Walk) => {
  const { fills = false, forced = [], losses = 0, nodes, steps, wipes = 0 } = options
  const pick = generator(seed)
  const model = new FormationModel(nodes, forced)
  const left = { wipes, losses }
  for (let step = 0; step < steps; step++) {
    const index = pick(nodes)
    const kind = pick(24)
    const { messages } = model
    if (kind < 3) model.ask(index)
    else if (kind < 5) model.change(index, pick(nodes))
    else if (kind === 5) model.restart(index)
    else if (kind === 6 && left.wipes-- > 0) model.wipe(index)
    else if (kind === 7 && left.losses-- > 0) model.loseLogEnd(index, 1 + pick(3))
    else if (kind === 8) model.force(index)
    else if (kind === 9) messages.splice(pick(messages.length + 1), 1)
    else if (kind < 12 && fills) model.fill(index)
    else if (messages.length > 0) model.deliver(messages[pick(messages.length)]!)
  }
  return model
}

const seeds = Array.from({ length: 3_000 }, (_, seed) => seed)

const isAll = (values: ReadonlyArray<unknown>): boolean => new Set(values).size === 1

const formed = () => {
  const model = new FormationModel(3)
  model.settle()
  return model
}

describe("a cluster that forms", () => {
  it.each([1, 2, 3, 4])("of %i nodes has one certificate, which names all", (nodes) => {
    for (const seed of seeds.slice(0, 500)) {
      const model = walk(seed, { nodes, steps: 40 })
      model.settle()
      expect(model.complete).toEqual(model.nodes.map(() => true))
      expect(isAll(model.certificates), model.certificates.join("\n")).toBe(true)
    }
  })

  it("has no node complete while one member has never answered, but has one alone at once", () => {
    const model = new FormationModel(3)
    model.ask(0)
    model.ask(1)
    for (let i = 0; i < model.messages.length; i++) {
      const message = model.messages[i]!
      if (message.to !== "n3") model.deliver(message)
    }
    expect(model.complete).toEqual([false, false, false])
    expect(new FormationModel(1).complete).toEqual([true])
  })

  it("never has two stores complete under one id, wipe what one may", () => {
    let wiped = 0
    for (const seed of seeds) {
      const model = walk(seed, { nodes: 3, steps: 120, wipes: 2 })
      // Two of three keep what they know, unless both were wiped: then nobody can tell.
      for (const stores of model.completeStores.values()) {
        if (stores.size > 1) wiped++
      }
      model.settle()
      expect(isAll(model.certificates), model.certificates.join("\n")).toBe(true)
    }
    expect(wiped).toBe(0)
  })

  it("never has a node complete that has less than another was told of", () => {
    let amnesiacs = 0
    for (const seed of seeds) {
      const model = walk(seed, { nodes: 3, steps: 150, losses: 2 })
      expect(model.forgetful).toEqual([])
      amnesiacs += model.nodes.filter(({ state }) => state.own === "amnesiac").length
    }
    expect(amnesiacs).toBeGreaterThan(50)
  })

  it("has every node complete again after restarts, when messages get through", () => {
    for (const seed of seeds.slice(0, 500)) {
      const model = walk(seed, { nodes: 3, steps: 80 })
      model.settle()
      model.restart(seed % 3)
      expect(model.complete[seed % 3]).toBe(false)
      model.settle()
      expect(model.complete).toEqual([true, true, true])
    }
  })

  it("has a wiped node incomplete, also if two are wiped; all wiped form anew", () => {
    for (const wiped of [[0], [1, 2], [0, 1, 2]]) {
      const model = formed()
      for (const index of wiped) model.wipe(index)
      model.settle()
      const all = wiped.length === 3
      expect(model.complete).toEqual([0, 1, 2].map((index) => all || !wiped.includes(index)))
    }
  })

  it("forms without the missing ones by an operator's word, which then are incomplete", () => {
    const model = new FormationModel(3, [0])
    const reach = (...ids: ReadonlyArray<string>) => {
      for (let round = 0; round < 3; round++) {
        model.nodes.forEach((_, index) => model.ask(index))
        for (let i = 0; i < model.messages.length; i++) {
          const message = model.messages[i]!
          if (ids.includes(message.to) && ids.includes(message.from)) model.deliver(message)
        }
        model.messages.length = 0
      }
    }
    reach("n1", "n2")
    model.force(0)
    reach("n1", "n2")
    expect(model.complete).toEqual([true, true, false])
    reach("n1", "n2", "n3")
    expect(model.complete).toEqual([true, true, false])
    expect(isAll(model.certificates)).toBe(true)
  })

  it("of two nodes that are told to form apart has one certificate in the end", () => {
    for (const seed of seeds.slice(0, 500)) {
      const model = walk(seed, { nodes: 3, steps: 60, forced: [0, 1] })
      model.settle()
      expect(isAll(model.certificates), model.certificates.join("\n")).toBe(true)
      for (const stores of model.completeStores.values()) expect(stores.size).toBe(1)
    }
  })
})

describe("a store that was filled", () => {
  it("is complete in place of the one before, which is not when its disk comes back", () => {
    const model = formed()
    const { disk } = model.nodes[0]!
    model.wipe(0)
    model.settle()
    model.fill(0)
    expect(model.complete).toEqual([true, true, true])
    model.settle()
    expect(isAll(model.certificates), model.certificates.join("\n")).toBe(true)
    model.restart(0)
    model.settle()
    expect(model.complete).toEqual([true, true, true])
    const filled = model.putBack(0, disk)
    model.settle()
    expect(model.complete).toEqual([false, true, true])
    expect(model.putBack(0, filled)).not.toBe(filled)
    model.settle()
    expect(model.complete).toEqual([true, true, true])
  })

  it("is not filled while it lacks nothing, or nobody can tell", () => {
    const model = formed()
    model.restart(1)
    for (const index of [0, 1]) model.fill(index)
    model.settle()
    for (const { state } of model.nodes) expect(state.filledAs).toBeUndefined()
  })

  it("is found out when it loses what it told since", () => {
    const model = formed()
    model.loseLogEnd(0, 1)
    model.wipe(0)
    model.settle()
    model.fill(0)
    for (const other of [1, 2]) model.change(0, other)
    model.loseLogEnd(0, 1)
    model.settle()
    expect(model.complete).toEqual([false, true, true])
    model.fill(0)
    expect(model.complete).toEqual([true, true, true])
  })

  it("is never complete with less than another was told of, and is complete in the end", () => {
    let filled = 0
    for (const seed of seeds) {
      const model = walk(seed, { nodes: 3, steps: 150, losses: 2, wipes: 1, fills: true })
      expect(model.forgetful).toEqual([])
      model.settle()
      // Where all lost something at once nobody is left to fill another one from; not here.
      for (const index of [0, 1, 2]) model.fill(index)
      model.settle()
      expect(isAll(model.certificates), model.certificates.join("\n")).toBe(true)
      expect(model.complete).toEqual([true, true, true])
      filled += model.nodes.filter(({ state }) => state.filledAs !== undefined).length
    }
    expect(filled).toBeGreaterThan(500)
  })

  it("of two that were filled in one generation, none is named, and each is filled anew", () => {
    const self = NodeId.make("n1")
    const one = Certificate.withStore(Certificate.formedBefore, self, "1.a")
    const other = Certificate.withStore(Certificate.formedBefore, self, "1.b")
    const entry = Certificate.join(one, other).stores.get(self)!
    expect(entry).toBe("1.!")
    expect(Certificate.replacing(entry, "c")).toBe("2.c")
  })
})

describe("a node that formed by an operator's word", () => {
  const names = [NodeId.make("a"), NodeId.make("b"), NodeId.make("c")] as const
  const [self, b, c] = names
  const certificate = {
    formed: true,
    stores: new Map<NodeId, string>(names.map((name) => [name, `s${name}`]))
  }
  const standing: Formation.Standing = {
    certificate,
    own: "named",
    unjudged: new Map(),
    unsureSince: undefined,
    filledAs: undefined
  }
  const begun = (before: Formation.Standing, recovered: number) =>
    Formation.make({ standing: before, self, store: "sa", members: names, recovered })
  const answer = (from: NodeId, told: number) => ({
    _tag: "Answered",
    from,
    store: `s${from}`,
    own: "named",
    certificate,
    told
  } as const)
  const forced = (recovered: number) =>
    Formation.step(begun(standing, recovered), { _tag: "Forced" })

  it("is incomplete as soon as a member answers that it was told of more", () => {
    const state = Formation.step(forced(60), answer(b, 100))
    expect([Formation.completeness(forced(60)), state.own]).toEqual(["complete", "amnesiac"])
    expect(Formation.completeness(state)).toBe("incomplete")
  })

  it("is judged by the first answer of each member, not by what it was told since", () => {
    const state = Formation.step(forced(60), answer(b, 60))
    expect([b, c].map((node) => Formation.mayTell(state, node))).toEqual([true, false])
    expect(Formation.completeness(Formation.step(state, answer(b, 100)))).toBe("complete")
    expect(Formation.completeness(Formation.step(state, answer(c, 61)))).toBe("incomplete")
  })

  it("is judged after later starts too, by the least that any of them recovered", () => {
    // The member b answers at once, and is told of 100 changes before the next start.
    const state = Formation.step(forced(60), answer(b, 60))
    const kept = StandingCodec.decode(StandingCodec.encode(state))!
    const later = Formation.step(begun(kept, 110), answer(b, 100))
    expect(later.own).toBe("named")
    expect(Formation.step(later, answer(c, 61)).own).toBe("amnesiac")
    expect(Formation.completeness(Formation.step(later, answer(c, 60)))).toBe("complete")
  })

  it("is never complete once all have answered, where one can prove that it lost changes", () => {
    let amnesiacs = 0
    for (const seed of seeds) {
      const model = walk(seed, { nodes: 3, steps: 150, forced: [0, 1], losses: 2, wipes: seed % 2 })
      model.settle()
      expect(model.disproved, String(seed)).toEqual([])
      amnesiacs += model.nodes.filter(({ state }) => state.own === "amnesiac").length
    }
    expect(amnesiacs).toBeGreaterThan(50)
  })

  it("is never thought to have lost changes where no disk lost any", () => {
    for (const seed of seeds) {
      const model = walk(seed, { nodes: 3, steps: 150, forced: [0, 1] })
      model.settle()
      for (const { state } of model.nodes) expect(state.own, String(seed)).not.toBe("amnesiac")
    }
  })
})

describe("a standing", () => {
  it("is read back as written; other texts are none", () => {
    const model = walk(7, { nodes: 3, steps: 60, losses: 1, wipes: 1 })
    for (const { disk: { standing } } of model.nodes) {
      expect(StandingCodec.decode(StandingCodec.encode(standing))).toEqual(standing)
    }
    expect(StandingCodec.decode("{}")).toBeUndefined()
    expect(StandingCodec.decode("noise")).toBeUndefined()
  })
})
