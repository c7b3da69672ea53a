// The table of a node's opinions is a value that equals a map, whatever was changed in it.
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { type Peer, Peers } from "../../../src/core/membership/Peers.ts"
import * as Version from "../../../src/core/membership/Version.ts"
import { NodeId } from "../../../src/core/model/Names.ts"

const ids = Array.from({ length: 70 }, (_, index) => NodeId.make(`n${index + 1}`))
const stranger = NodeId.make("stranger")

const peer = (heardAt: number, isDoubted: boolean): Peer => {
  const doubt = { version: Version.none, accusers: new Set<NodeId>(), since: 0, isDown: false }
  return { version: Version.none, heardAt, doubt: isDoubted ? doubt : undefined }
}

const entriesOf = (size: number) => ids.slice(0, size).map((id) => [id, peer(0, false)] as const)

const change = fc.record({ at: fc.nat(), heardAt: fc.nat(), isDoubted: fc.boolean() })

it("it equals a map with the same changes, and no change touches what it was before", () => {
  const sizes = fc.constantFrom(1, 31, 32, 33, 70)
  fc.assert(fc.property(sizes, fc.array(change, { maxLength: 60 }), (size, changes) => {
    let peers = Peers.of(entriesOf(size))
    const map = new Map(entriesOf(size))
    for (const { at, heardAt, isDoubted } of changes) {
      const node = ids[at % size]!
      const before = peers
      const entriesBefore = before.entries()
      peers = peers.with(node, peer(heardAt, isDoubted))
      map.set(node, peers.get(node)!)
      expect(before.entries()).toEqual(entriesBefore)
      expect(peers.changed(before)).toEqual([node])
    }
    expect(peers.entries()).toEqual([...map])
    expect(peers.nodes()).toEqual([...map.keys()])
    expect(peers.size).toBe(size)
    const doubted = [...map].flatMap(([node, { doubt }]) => doubt === undefined ? [] : [node])
    expect(peers.doubted().map(([node]) => node).toSorted()).toEqual(doubted.toSorted())
  }))
})

it("a stranger is none of them, and changes nothing", () => {
  const peers = Peers.of(entriesOf(40))
  expect(peers.has(stranger)).toBe(false)
  expect(peers.get(stranger)).toBeUndefined()
  expect(peers.with(stranger, peer(1, true))).toBe(peers)
})

it("all have changed where they were others before", () => {
  const before = Peers.of(entriesOf(40))
  const peers = Peers.of(entriesOf(39))
  expect(peers.changed(before)).toEqual(peers.nodes())
})
