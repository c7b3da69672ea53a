/**
 * Decides when the cluster has formed, and from when on this node's store is complete: it has
 * everything that it ever acknowledged.
 *
 * At each start the node asks all other members. Each answers with its certificate, in which it has
 * noted the asker's store unless it knew another one, durably before it answers, and with the
 * greatest number of changes that it was told are durable in that store. So a node is complete once
 * every member has answered that it knows no other store of it, and was told of no more than was
 * recovered. A wiped store finds another one named in its place; a store that lost the end of its
 * log told more than it has. Both are incomplete until they are filled.
 *
 * Every member that may have been told must answer: another one need not know. Only a member
 * without which the cluster formed, by an operator's word, is not waited for.
 *
 * A state is a value: `step` never changes it, but returns the next.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Json from "../codec/Json.ts"
import type { Completeness } from "../model/Completeness.ts"
import type { NodeId } from "../model/Names.ts"
import * as Certificate from "./Certificate.ts"

/** The standing of this node's store in its cluster. */
export type Own =
  /** No cluster has formed with it yet. */
  | "new"
  /** The certificate names it. */
  | "named"
  /** The certificate names another store in its place, or none. */
  | "unnamed"
  /** It lost data that it had told another node are durable. */
  | "amnesiac"

/** The part that is kept on disk. */
export interface Standing {
  readonly certificate: Certificate.Certificate
  readonly own: Own
  /**
   * The changes that were recovered at the first start of which not all questions are answered yet;
   * undefined while none is open.
   */
  readonly unsureSince: number | undefined
}

export interface FormationState extends Standing {
  readonly self: NodeId
  /** The id of this node's store. */
  readonly store: string
  readonly others: ReadonlyArray<NodeId>
  /** The least number of changes that any start recovered whose questions are open. */
  readonly recovered: number
  /** The members that have answered at this start that they know no other store of this node. */
  readonly answered: ReadonlySet<NodeId>
  /** The certificate of each other member, as it was heard last in this start. */
  readonly heard: ReadonlyMap<NodeId, Certificate.Certificate>
}

/** What a node says of itself when it asks or answers. */
export interface Introduction {
  readonly from: NodeId
  readonly store: string
  readonly own: Own
  readonly certificate: Certificate.Certificate
}

export type FormationEvent =
  | { readonly _tag: "Asked" } & Introduction
  /** `told`: the greatest number of changes that it was told are durable in this node's store. */
  | { readonly _tag: "Answered"; readonly told: number } & Introduction
  /** An operator's word: the members that have not answered by now are not waited for. */
  | { readonly _tag: "Forced" }

/** Of a directory that was just made. */
export const newStore: Standing = {
  certificate: Certificate.open,
  own: "new",
  unsureSince: undefined
}

/** Of a directory from before there were certificates. */
export const storeFromBefore: Standing = {
  certificate: Certificate.formedBefore,
  own: "named",
  unsureSince: undefined
}

/** The standing from a start on; `recovered` counts the changes that the store has. */
export const begin = (standing: Standing, recovered: number): Standing => {
  const { own, unsureSince = recovered } = standing
  const isOpen = own === "new" || own === "named"
  return { ...standing, unsureSince: isOpen ? Math.min(unsureSince, recovered) : undefined }
}

/** The state at a start; `recovered` counts the changes that the store has of all earlier ones. */
export const make = (options: {
  readonly standing: Standing
  readonly self: NodeId
  readonly store: string
  readonly members: ReadonlyArray<NodeId>
  readonly recovered: number
}): FormationState => {
  const { members, self, store } = options
  const standing = begin(options.standing, options.recovered)
  const recovered = standing.unsureSince ?? options.recovered
  const others = members.filter((node) => node !== self)
  const state = { ...standing, self, store, others, recovered }
  return settle({ ...state, answered: new Set(), heard: new Map() })
}

/** The state after an event. */
export const step = (state: FormationState, event: FormationEvent): FormationState => {
  if (event._tag === "Forced") return force(state)
  if (!state.others.includes(event.from)) return state
  const known = hear(state, event)
  return settle(event._tag === "Asked" ? known : answer(known, event))
}

/** The members without whose answer the node is not complete. */
export const awaited = (state: FormationState): ReadonlyArray<NodeId> =>
  state.unsureSince === undefined ? [] : needed(state)

/** The members to ask: those awaited, and those whose certificate is not known to agree. */
export const toAsk = (state: FormationState): ReadonlyArray<NodeId> => {
  const { certificate, heard, others } = state
  const missing = new Set(awaited(state))
  return others.filter((node) => {
    const known = heard.get(node)
    return missing.has(node) || known === undefined || !Certificate.isEqual(known, certificate)
  })
}

/** Whether this node's votes count for `pr` and `pw`, and its "absent" for `r`. */
export const completeness = (state: FormationState): Completeness => {
  const { certificate, own, self, store, unsureSince } = state
  const entry = certificate.stores.get(self) ?? store
  if (own !== "named" || entry !== store) return "incomplete"
  return unsureSince === undefined ? "complete" : "unsure"
}

/** The standing of a node, for people. */
export interface FormationStatus {
  readonly formed: boolean
  readonly completeness: Completeness
  readonly own: Own
  /** The members whose answer is missing. */
  readonly awaited: ReadonlyArray<NodeId>
}

export const status = (state: FormationState): FormationStatus => ({
  formed: state.certificate.formed,
  completeness: completeness(state),
  own: state.own,
  awaited: awaited(state)
})

/**
 * Whether other nodes may be told how many changes are durable here: not while questions are open,
 * or an answer could speak of changes that were made since the start.
 */
export const mayTell = ({ own, unsureSince }: FormationState): boolean =>
  own === "named" && unsureSince === undefined

/** Whether the states are the same on disk. */
export const isSameStanding = (left: Standing, right: Standing): boolean =>
  left.certificate === right.certificate && left.own === right.own
  && left.unsureSince === right.unsureSince

const needed = ({ answered, certificate, others }: FormationState): ReadonlyArray<NodeId> =>
  others.filter((node) =>
    !answered.has(node) && certificate.stores.get(node) !== Certificate.excluded
  )

/** Takes over what another node knows, and notes its store where none was known. */
const hear = (state: FormationState, { certificate, from, own, store }: Introduction) => {
  const known = Certificate.join(state.certificate, certificate)
  const entry = known.stores.get(from)
  const isFree = entry === undefined || entry === Certificate.excluded
  // A store that is new cannot be one with which a formed cluster has formed.
  const isNoted = isFree && (own === "named" || own === "new" && !known.formed)
  const next = isNoted ? Certificate.withStore(known, from, store) : known
  return { ...state, certificate: next, heard: new Map(state.heard).set(from, certificate) }
}

const answer = (
  state: FormationState,
  { certificate, from, told }: Extract<FormationEvent, { readonly _tag: "Answered" }>
): FormationState => {
  const { own, recovered, self, store, unsureSince } = state
  // Once it is sure, it tells of changes beyond those that it recovered: no answer can judge it.
  if (unsureSince === undefined) return state
  if (told > recovered) return { ...state, own: "amnesiac", unsureSince: undefined }
  const entry = certificate.stores.get(self)
  if (entry === store) return { ...state, answered: new Set(state.answered).add(from) }
  // It notes the store of one that was named before, but has not done so yet.
  const isLate = entry === undefined && (own === "named" || !certificate.formed)
    || entry === Certificate.excluded && own === "named"
  return isLate ? state : { ...state, own: "unnamed", unsureSince: undefined }
}

/** Ends the questions where they are answered. */
const settle = (state: FormationState): FormationState => {
  if (state.unsureSince === undefined || needed(state).length > 0) return state
  return { ...state, own: "named", unsureSince: undefined, certificate: formed(state) }
}

const formed = ({ certificate, self, store }: FormationState): Certificate.Certificate => {
  const named = certificate.stores.has(self)
    && certificate.stores.get(self) !== Certificate.excluded
  const { stores } = named ? certificate : Certificate.withStore(certificate, self, store)
  return named && certificate.formed ? certificate : { formed: true, stores }
}

const force = (state: FormationState): FormationState => {
  const { self, store } = state
  if (state.unsureSince === undefined) return state
  const entry = state.certificate.stores.get(self) ?? store
  if (entry !== store && entry !== Certificate.excluded) {
    return { ...state, own: "unnamed", unsureSince: undefined }
  }
  const missing = needed(state).filter((node) => !state.certificate.stores.has(node))
  const certificate = missing.reduce(
    (known, node) => Certificate.withStore(known, node, Certificate.excluded),
    state.certificate
  )
  const next: FormationState = { ...state, own: "named", unsureSince: undefined, certificate }
  return { ...next, certificate: formed(next) }
}

const Stored = Schema.Struct({
  formed: Schema.Boolean,
  own: Schema.Literals(["new", "named", "unnamed", "amnesiac"]),
  unsureSince: Schema.NullOr(Schema.Int),
  stores: Certificate.StoreEntries
})
const decodeStored = Schema.decodeUnknownOption(Stored)

/** The text of a standing. */
export const encode = ({ certificate, own, unsureSince }: Standing): string =>
  JSON.stringify({
    formed: certificate.formed,
    own,
    unsureSince: unsureSince ?? null,
    stores: Certificate.entries(certificate)
  })

/** Undefined where the text is of no standing. */
export const decode = (text: string): Standing | undefined => {
  const stored = Option.getOrUndefined(decodeStored(Json.read(text)))
  if (stored === undefined) return undefined
  const { formed: isFormed, own, stores, unsureSince } = stored
  const certificate = { formed: isFormed, stores: new Map(stores) }
  return { certificate, own, unsureSince: unsureSince ?? undefined }
}
