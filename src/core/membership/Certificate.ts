/**
 * Records which store each member had when the cluster formed. A member whose store is not the one
 * that the certificate names began anew: its disk was wiped, or it came later.
 *
 * A store that was filled takes the place of the one that the certificate named: it has another
 * name, of a greater generation. The store that it replaces is named no more, should its disk come
 * back.
 *
 * Certificates join: nodes that have heard the same of each other have the same one, in whatever
 * order they heard it.
 */
import * as Schema from "effect/Schema"
import { NodeId } from "../model/Names.ts"

/**
 * A store's name, or one of the two marks below. The name of a store that never had to be filled is
 * its id; that of another one has the number of the generation in front: `2.k3v9`.
 */
export type StoreEntry = string

/** The cluster formed without the member: it was told to. */
export const excluded: StoreEntry = "-"

/** Two stores were there under one id in one generation: none is named. */
export const contested: StoreEntry = "!"

/**
 * Invariant: once formed, it names all members of the formation that are known; members that came
 * later are not in it.
 */
export interface Certificate {
  readonly formed: boolean
  /** By member; nothing is known yet of one that is not there. */
  readonly stores: ReadonlyMap<NodeId, StoreEntry>
}

/** Nothing is known yet. */
export const open: Certificate = { formed: false, stores: new Map() }

/** The certificate of a node whose directory is older than certificates: its cluster has formed. */
export const formedBefore: Certificate = { formed: true, stores: new Map() }

/** The times that a member's store was replaced by a filled one. */
export const generationOf = (entry: StoreEntry): number => {
  const end = entry.indexOf(".")
  return end < 0 ? 0 : Number(entry.slice(0, end))
}

const ofGeneration = (generation: number, entry: StoreEntry): StoreEntry =>
  generation === 0 ? entry : `${generation}.${entry}`

/** The name of a store that is filled in place of another one, or of itself. */
export const replacing = (before: StoreEntry, id: string): StoreEntry =>
  ofGeneration(generationOf(before) + 1, id)

const joinEntries = (left: StoreEntry, right: StoreEntry): StoreEntry => {
  const generation = generationOf(left)
  const difference = generation - generationOf(right)
  if (difference !== 0) return difference > 0 ? left : right
  if (left === right || right === excluded) return left
  return left === excluded ? right : ofGeneration(generation, contested)
}

/**
 * All that both say. What a formed one says counts alone beside an open one.
 *
 * **Guarantees** commutative, associative, idempotent; `left` itself where `right` adds nothing.
 */
export const join = (left: Certificate, right: Certificate): Certificate => {
  if (left.formed !== right.formed) return left.formed ? left : right
  let stores: Map<NodeId, StoreEntry> | undefined
  for (const [node, entry] of right.stores) {
    const before = left.stores.get(node)
    const after = before === undefined ? entry : joinEntries(before, entry)
    if (after !== before) (stores ??= new Map(left.stores)).set(node, after)
  }
  return stores === undefined ? left : { ...left, stores }
}

/** The certificate with one more entry. */
export const withStore = (
  certificate: Certificate,
  node: NodeId,
  entry: StoreEntry
): Certificate => ({ ...certificate, stores: new Map(certificate.stores).set(node, entry) })

/** Its entries in the order of their members' ids: equal certificates have equal lists. */
export const entries = (
  { stores }: Certificate
): ReadonlyArray<readonly [node: NodeId, entry: StoreEntry]> =>
  [...stores].sort(([a], [b]) => (a < b ? -1 : 1))

export const isEqual = (left: Certificate, right: Certificate): boolean =>
  left === right
  || (left.formed === right.formed && left.stores.size === right.stores.size
    && [...left.stores].every(([node, entry]) => right.stores.get(node) === entry))

/** Of a store's name. */
export const namePattern = /^(?:[1-9][0-9]{0,8}\.)?[0-9a-z]{1,64}$/u

/** Of a store's name or a mark. */
export const entryPattern = /^(?:-|(?:[1-9][0-9]{0,8}\.)?(?:!|[0-9a-z]{1,64}))$/u

export const StoreName = Schema.String.check(
  Schema.isPattern(namePattern, { expected: "a store's name" })
)

export const StoreEntry = Schema.String.check(
  Schema.isPattern(entryPattern, { expected: "a store's name, - or !" })
)

export const StoreEntries = Schema.Array(Schema.Tuple([NodeId, StoreEntry]))
