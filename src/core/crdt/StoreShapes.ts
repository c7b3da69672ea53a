/**
 * Describes every state that a document can have, in four shapes that describe themselves. A node
 * joins them without knowing the bucket, so that one that lacks an application's code still stores,
 * repairs and forwards its documents.
 *
 * | shape | holds | used by |
 * | --- | --- | --- |
 * | latest | the entry with the greatest stamp | last-write-wins buckets |
 * | values | concurrent entries, each under its dot | siblings, registers, elements of sets |
 * | counter | totals for each actor | counters |
 * | tree | a state for each name | sets, maps, documents |
 *
 * Invariant: every dot in a state is in the context of its document.
 *
 * @see Almeida, Shoker, Baquero: Delta State Replicated Data Types, 2018 (dot stores, section 7)
 */
import type { Actor, Dot } from "../clock/Dot.ts"
import type { Sibling } from "../clock/DottedVersionVectorSet.ts"
import type { Sum } from "./Sum.ts"

/** The winner of a last-write-wins register; `value` is null after a delete. */
export interface LastWriterRegister extends Dot {
  readonly kind: "latest"
  readonly stamp: number
  readonly value: string | null
}

export interface MultiValue {
  readonly kind: "values"
  /** Invariant: sorted by dot, no dot twice, not empty. */
  readonly siblings: ReadonlyArray<Sibling>
}

/** The sum of an actor's amounts, all from the first on, after its update `counter`. */
export interface CounterUpdate {
  readonly counter: number
  readonly sum: Sum
}

/**
 * The last updates of one actor to a counter, and the last one that removals took away, with all
 * before it. So a removal that comes late takes what it had seen and leaves what came after
 * (basho/riak_dt#98 shows the fault without the removed half).
 */
export interface PerActorTotal {
  /** Counter and sum are 0 where nothing was removed. */
  readonly removed: CounterUpdate
  /** Invariant: ascending, after `removed`; not empty where nothing was removed. */
  readonly updates: ReadonlyArray<CounterUpdate>
  /** Whether there may be updates after `removed` and before these; false where these are none. */
  readonly isCut: boolean
}

export interface Counter {
  readonly kind: "counter"
  readonly totals: ReadonlyMap<Actor, PerActorTotal>
}

export interface Tree {
  readonly kind: "tree"
  /** By `childKey`, so that one name under two types is two children and joins never clash. */
  readonly children: ChildMap
}

/** A state without others inside. */
export type Leaf = LastWriterRegister | MultiValue | Counter

export type DotStore = Leaf | Tree

/** Of the children in one node of a tree; the sums are of all leaves below. */
export interface Summary {
  /** The halves of the sum of the hashes of the entries, each modulo 2^32. */
  readonly high: number
  readonly low: number
  /** Of the encoding of the entries, where each index of an actor takes one byte. */
  readonly bytes: number
  /** Indexes of actors in the encoding. */
  readonly mentions: number
  /** Characters of names and values, with some for each value and each actor of a counter. */
  readonly content: number
  /** Bytes of memory, roughly, beside those for the text. */
  readonly memory: number
  readonly leaves: number
  /** Leaves that hold something, if only a count that was removed. */
  readonly elements: number
  /** Leaves in which a reader finds something. */
  readonly live: number
  readonly counters: number
  /** The most siblings in one place. */
  readonly siblings: number
  /** The greatest stamp of a sibling. */
  readonly stamp: number
}

interface Common {
  /** Invariant: ascending. Of a branch the least key in each node below it. */
  readonly keys: ReadonlyArray<string>
  readonly size: number
  /** Made when somebody asks for it; of a node that is made of one which has it, at once. */
  summary: Summary | undefined
}

export interface LeafNode extends Common {
  readonly height: 0
  readonly children: ReadonlyArray<DotStore>
}

export interface BranchNode extends Common {
  readonly height: number
  readonly nodes: ReadonlyArray<Node>
}

export type Node = LeafNode | BranchNode

/** What is put under a key; undefined takes away what is there. */
export type Put = readonly [key: string, child: DotStore | undefined]

/** The children of a tree, in the order of their keys; never changed. */
export interface ChildMap extends Iterable<[key: string, child: DotStore]> {
  readonly root: Node
  readonly size: number
  /** Of all that is below. */
  readonly summary: Summary
  readonly get: (key: string) => DotStore | undefined
  readonly has: (key: string) => boolean
  readonly with: (key: string, child: DotStore) => ChildMap
  readonly without: (key: string) => ChildMap
  /** The children after all of these puts, of each key the last one; itself if nothing changes. */
  readonly after: (puts: ReadonlyArray<Put>) => ChildMap
  readonly keys: () => IterableIterator<string>
  readonly values: () => IterableIterator<DotStore>
}
