// Checks which dots are surely gone against a model of nodes that crash, lose their disks, fail to
// commit, and do not answer: no node has such a dot, or will have it.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Dot from "../../../src/core/clock/Dot.ts"
import * as LostDots from "../../../src/core/clock/LostDots.ts"
import * as VersionVector from "../../../src/core/clock/VersionVector.ts"
import { Incarnation } from "../../../src/core/model/Incarnation.ts"
import { NodeId } from "../../../src/core/model/Names.ts"

const ids = ["n1", "n2", "n3", "n4"].map((id) => NodeId.make(id))
const owners = ids.slice(0, 3)

type Vector = Map<string, number>

interface ModelNode {
  incarnation: number
  disk: Vector
  memory: Vector
  isMember: boolean
}

const incarnationOf = (number: number): Incarnation =>
  Incarnation.make(String(number).padStart(15, "0"))

const merge = (into: Vector, from: VersionVector.VersionVector): void => {
  for (const [actor, counter] of from) into.set(actor, Math.max(counter, into.get(actor) ?? 0))
}

/** Nodes that make dots, send them to owners, commit and lose them. A message arrives at once. */
class Model {
  readonly nodes = new Map<NodeId, ModelNode>(
    ids.map((id) => [id, { incarnation: 1, disk: new Map(), memory: new Map(), isMember: true }])
  )
  readonly seen: Vector = new Map()
  #counter = 0

  do(action: Action): void {
    const node = this.nodes.get(ids[action.at]!)!
    if (!node.isMember) return
    switch (action.kind) {
      case "make": {
        const incarnation = incarnationOf(node.incarnation)
        const actor = Dot.actor({ node: ids[action.at]!, incarnation, birth: 1 })
        node.memory.set(actor, ++this.#counter)
        return
      }
      case "send":
        return merge(this.nodes.get(ids[action.to]!)!.memory, this.#newest(node))
      case "commit":
        merge(node.disk, node.memory)
        return void (node.memory = new Map())
      case "show":
        return merge(this.seen, node.disk)
      case "fail":
      case "crash":
        node.memory = new Map()
        return void node.incarnation++
      case "wipe":
        node.disk = new Map()
        node.memory = new Map()
        return void node.incarnation++
      case "leave":
        // Only a node that is no owner, and what it has goes with it.
        if (action.at === 3) node.isMember = false
    }
  }

  /** Each node that is asked waits for its commits, and says all that it has, or nothing. */
  search(silent: ReadonlySet<number>): LostDots.Search {
    const answered = new Map<string, string>()
    const members = ids.filter((id) => this.nodes.get(id)!.isMember)
    const found: Vector = new Map()
    const missing = LostDots.missing(this.seen, VersionVector.empty)
    for (const id of LostDots.nodesToAsk({ missing, owners, members })) {
      if (silent.has(ids.indexOf(id))) continue
      const node = this.nodes.get(id)!
      answered.set(id, incarnationOf(node.incarnation))
      merge(found, this.#newest(node))
    }
    return {
      missing: LostDots.missing(this.seen, found),
      owners,
      isMember: (node) => members.some((id) => id === node),
      answered
    }
  }

  /** Whether a node that is in the cluster has a dot, in any way. */
  isSomewhere(actor: string, counter: number): boolean {
    return [...this.nodes.values()].some((node) =>
      node.isMember && VersionVector.contains(this.#newest(node), actor, counter)
    )
  }

  #newest({ disk, memory }: ModelNode): Vector {
    const newest = new Map(disk)
    merge(newest, memory)
    return newest
  }
}

const at = fc.nat(3)
const kinds = ["make", "commit", "show", "fail", "crash", "wipe", "leave"] as const
/** What a client was shown at first; then anything may happen. */
const shownFirst = at.map((node): ReadonlyArray<Action> =>
  (["make", "commit", "show"] as const).map((kind) => ({ kind, at: node, to: node }))
)
const actions = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constantFrom(...kinds), at, to: at }), weight: 3 },
  { arbitrary: fc.record({ kind: fc.constant("send" as const), at, to: fc.nat(2) }), weight: 1 }
)
type Action = typeof actions extends fc.Arbitrary<infer A> ? A : never

describe("a dot that is surely gone", () => {
  it("is at no node of the cluster, and stays away whatever happens next", () => {
    let gones = 0
    fc.assert(
      fc.property(
        shownFirst,
        fc.array(actions, { maxLength: 25 }),
        fc.uniqueArray(at, { maxLength: 1 }),
        fc.array(actions, { maxLength: 15 }),
        (first, before, silent, later) => {
          const model = new Model()
          for (const action of [...first, ...before]) model.do(action)
          const gone = LostDots.surelyGone(model.search(new Set(silent)))
          for (const action of later) model.do(action)
          for (const [actor, counter] of gone) {
            gones++
            expect(model.isSomewhere(actor, counter)).toBe(false)
          }
        }
      ),
      { numRuns: 3_000 }
    )
    expect(gones).toBeGreaterThan(100)
  })

  it("is found as soon as all owners and its maker's next incarnation have answered", () => {
    fc.assert(fc.property(fc.array(actions, { maxLength: 25 }), (before) => {
      const model = new Model()
      for (const action of before) model.do(action)
      // The last of what each node has in memory is committed or lost.
      for (let node = 0; node < ids.length; node++) model.do({ kind: "crash", at: node, to: 0 })
      const search = model.search(new Set())
      expect([...LostDots.surelyGone(search)]).toEqual([...search.missing])
    }))
  })

  it("is none while one owner cannot tell", () => {
    const actor = `n1.${incarnationOf(1)}.1`
    const search = {
      missing: new Map([[actor, 5]]),
      owners,
      isMember: () => true,
      answered: new Map(owners.map((id) => [id, incarnationOf(2)]))
    }
    expect([...LostDots.surelyGone(search).keys()]).toEqual([actor])
    const answered = new Map([...search.answered].slice(0, 2))
    expect(LostDots.surelyGone({ ...search, answered }).size).toBe(0)
  })
})

describe("a history without what is lost", () => {
  it("keeps what is there of the same actor", () => {
    const lost = new Map([["a", 7]])
    const seen = new Map([["a", 7], ["b", 2]])
    expect([...LostDots.without(seen, lost, new Map([["a", 4]]))]).toEqual([["a", 4], ["b", 2]])
    expect([...LostDots.without(seen, lost, new Map())]).toEqual([["b", 2]])
  })
})
