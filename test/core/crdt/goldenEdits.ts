/**
 * Lists edits whose bytes are kept under test/golden/delta-1. Nodes of another version of the
 * program send these bytes: they may be added to, never changed.
 */
import type { Delta } from "../../../src/core/crdt/Document.ts"
import { nest } from "../../../src/core/crdt/DotStore.ts"
import type { Edit } from "../../../src/core/crdt/Edit.ts"

const a = "alpha.0mi8dfxmoabcdef.1"
const b = "beta.0mi8dfxmoghijkl.1z"

const delta = (own: number, rest: Partial<Delta>): Delta => ({
  seen: { vector: new Map(), dots: [{ actor: a, counter: own }] },
  path: [],
  store: undefined,
  deferred: [],
  expiry: [],
  ended: [],
  ...rest
})

const added = ["ttags", "v\"blue\""]
const addition = delta(4, {
  path: added,
  store: nest(added, {
    kind: "values",
    siblings: [{ actor: a, counter: 4, stamp: 0, value: "" }]
  })
})
const dots = [{ actor: a, counter: 5 }, { actor: b, counter: 7 }]
const removal = delta(5, {
  seen: { vector: new Map(), dots },
  path: added,
  deferred: [{ actor: a, counter: 5, seen: new Map([[b, 301]]), path: added }]
})
const counted = ["tvotes", "cé"]
const counting = delta(6, {
  path: counted,
  store: nest(counted, {
    kind: "counter",
    totals: new Map([
      [a, { removed: { counter: 2, sum: -9 }, updates: [{ counter: 6, sum: 1 }], isCut: true }],
      [b, { removed: { counter: 300, sum: 2n ** 80n }, updates: [], isCut: false }]
    ])
  })
})
const replacement = delta(9, {
  seen: { vector: new Map([[b, 300]]), dots: [{ actor: a, counter: 9 }] },
  store: {
    kind: "values",
    siblings: [{ actor: a, counter: 9, stamp: 1_763_700_000_000_001, value: "\"x\"" }]
  },
  expiry: [{ actor: a, counter: 9, at: 1_763_700_000_000 }]
})
const ending = delta(10, { ended: [{ actor: b, counter: 3 }] })

const base = new Map([[a, 3], [b, 300]])

export const goldenEdits: Readonly<Record<string, ReadonlyArray<Edit>>> = {
  "addition": [{ base: new Map([[a, 3]]), deltas: [addition] }],
  "addition-to-nothing": [{ base: new Map(), deltas: [addition] }],
  "several-operations": [{ base, deltas: [addition, removal, counting] }],
  "several-edits": [{ base, deltas: [addition, removal] }, {
    base: new Map([[a, 5], [b, 300]]),
    deltas: [counting]
  }],
  "whole-value": [{ base, deltas: [replacement] }],
  "ended-removal": [{ base: new Map([[a, 9], [b, 3]]), deltas: [ending] }]
}
