/**
 * Lists documents whose bytes are kept under test/golden, by format, at least one for each shape of
 * state. Stored data is in these bytes: they may be added to, never changed.
 */
import { Children } from "../../../src/core/crdt/Children.ts"
import type { Document } from "../../../src/core/crdt/Document.ts"
import { childKey, type DotStore } from "../../../src/core/crdt/DotStore.ts"

const a = "alpha.0mi8dfxmoabcdef.1"
const b = "beta.0mi8dfxmoghijkl.1z"

const document = (store: DotStore | undefined, rest: Partial<Document> = {}): Document => ({
  context: new Map([[a, 3], [b, 300]]),
  store,
  deferred: [],
  expiry: [],
  ...rest
})

const stamp = 1_763_700_000_000_001

const values: DotStore = {
  kind: "values",
  siblings: [
    { actor: a, counter: 3, stamp, value: `{"lines":["é"]}` },
    { actor: b, counter: 300, stamp: stamp + 1, value: "\"x\"" }
  ]
}

/** As formats that kept no updates are read: the sums of added and taken, and the last update. */
const formerCounter: DotStore = {
  kind: "counter",
  totals: new Map([
    [a, { removed: { counter: 2, sum: 4 }, updates: [{ counter: 3, sum: 4 }], isCut: true }],
    [b, {
      removed: { counter: 0, sum: 0 },
      updates: [{ counter: 300, sum: 1 - 2 ** 53 }],
      isCut: true
    }]
  ])
}

/** All that an entry may have: a removed share, as many updates as are kept, sums of any size. */
const counter: DotStore = {
  kind: "counter",
  totals: new Map([
    [a, {
      removed: { counter: 1, sum: -4 },
      updates: [{ counter: 2, sum: -9_007_199_254_740_995n }, { counter: 3, sum: 2 ** 52 }],
      isCut: false
    }],
    [b, {
      removed: { counter: 0, sum: 0 },
      updates: Array.from({ length: 16 }, (_, i) => ({ counter: 285 + i, sum: 300 + i })),
      isCut: true
    }]
  ])
}

/** Wholly removed. */
const removedCounter: DotStore = {
  kind: "counter",
  totals: new Map([[b, { removed: { counter: 7, sum: 2n ** 80n }, updates: [], isCut: false }]])
}

const element = (actor: string, counter: number): DotStore => ({
  kind: "values",
  siblings: [{ actor, counter, stamp: 0, value: "" }]
})

const treeWith = (votes: DotStore): DotStore => ({
  kind: "tree",
  children: Children.of([
    [childKey("counter", "votes"), votes],
    [childKey("tree", "tags"), {
      kind: "tree",
      children: Children.of([
        [childKey("values", "\"blue\""), element(a, 1)],
        [childKey("values", "{\"a\":[1,null]}"), element(b, 7)]
      ])
    }],
    [childKey("values", "title"), values]
  ])
})

const formerTree = treeWith(formerCounter)
const tree = treeWith(counter)

/** In format 1. */
const plain: Readonly<Record<string, Document>> = {
  empty: document(undefined, { context: new Map() }),
  latest: document({ kind: "latest", actor: b, counter: 300, stamp, value: "[1,2]" }),
  "latest-deleted": document({ kind: "latest", actor: a, counter: 3, stamp, value: null }),
  values: document(values),
  counter: document(formerCounter),
  tree: document(formerTree),
  tombstone: document(undefined),
  deferrals: document(formerTree, {
    deferred: [
      {
        actor: a,
        counter: 3,
        seen: new Map([[a, 2], [b, 301]]),
        path: [childKey("tree", "tags"), childKey("values", "\"red\"")]
      },
      { actor: b, counter: 8, seen: new Map([["gamma.0mi8dfxmomnopqr.0", 1]]), path: [] }
    ]
  }),
  // Two ids of operations follow it.
  ids: document(values)
}

/** In format 2. */
const expiring: Readonly<Record<string, Document>> = {
  "expires": document(values, { expiry: [{ actor: a, counter: 3, at: 1_763_700_060_000 }] }),
  "lifted-concurrently": document(formerTree, {
    expiry: [{ actor: a, counter: 2, at: 0 }, { actor: b, counter: 300, at: null }]
  }),
  "tombstone-with-all": document(undefined, {
    deferred: [{ actor: b, counter: 8, seen: new Map([["gamma.0mi8dfxmomnopqr.0", 1]]), path: [] }],
    // An id of an operation follows it.
    expiry: [{ actor: b, counter: 9, at: 2 ** 53 - 1 }]
  })
}

/** Formats that are read, by their folder. */
export const formerGoldenFormats = { "document-1": plain, "document-2": expiring } as const

const { ids: _, ...rest } = { ...plain, ...expiring }

/** In format 3, which is written. */
export const goldenDocuments: Readonly<Record<string, Document>> = {
  ...rest,
  counter: document(counter),
  "counter-former": document(formerCounter),
  "counter-removed": document(removedCounter),
  tree: document(tree),
  deferrals: { ...rest["deferrals"]!, store: tree },
  "lifted-concurrently": { ...rest["lifted-concurrently"]!, store: tree }
}

const latest: DotStore = { kind: "latest", actor: b, counter: 300, stamp, value: "[1,2]" }

/** By the folder of their format. */
export const goldenElements = {
  "element-1": { values, counter: formerCounter, latest },
  "element-2": { values, counter, "counter-removed": removedCounter, latest }
} as const
