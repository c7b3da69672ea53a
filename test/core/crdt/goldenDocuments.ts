/**
 * Lists documents whose bytes are kept under test/golden, by format, at least one for each shape of
 * state. Stored data is in these bytes: they may be added to, never changed.
 */
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

const counter: DotStore = {
  kind: "counter",
  totals: new Map([
    [a, {
      counter: 3,
      added: 5,
      taken: 1,
      removedCounter: 2,
      removedAdded: 4,
      removedTaken: 0
    }],
    [b, {
      counter: 300,
      added: 0,
      taken: 2 ** 53 - 1,
      removedCounter: 0,
      removedAdded: 0,
      removedTaken: 0
    }]
  ])
}

const element = (actor: string, counter: number): DotStore => ({
  kind: "values",
  siblings: [{ actor, counter, stamp: 0, value: "" }]
})

const tree: DotStore = {
  kind: "tree",
  children: new Map<string, DotStore>([
    [childKey("counter", "votes"), counter],
    [childKey("tree", "tags"), {
      kind: "tree",
      children: new Map([
        [childKey("values", "\"blue\""), element(a, 1)],
        [childKey("values", "{\"a\":[1,null]}"), element(b, 7)]
      ])
    }],
    [childKey("values", "title"), values]
  ])
}

/** In format 1. */
const plain: Readonly<Record<string, Document>> = {
  empty: document(undefined, { context: new Map() }),
  latest: document({ kind: "latest", actor: b, counter: 300, stamp, value: "[1,2]" }),
  "latest-deleted": document({ kind: "latest", actor: a, counter: 3, stamp, value: null }),
  values: document(values),
  counter: document(counter),
  tree: document(tree),
  tombstone: document(undefined),
  deferrals: document(tree, {
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
  "lifted-concurrently": document(tree, {
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

const { ids: _, ...withoutIds } = { ...plain, ...expiring }

/** In format 3, which is written. */
export const goldenDocuments: Readonly<Record<string, Document>> = withoutIds

export const goldenElements: Readonly<Record<string, DotStore>> = {
  values,
  counter,
  latest: { kind: "latest", actor: b, counter: 300, stamp, value: "[1,2]" }
}
