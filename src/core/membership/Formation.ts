/**
 * Decides when the cluster has formed, and from when on this node's store is complete: it has
 * everything that it ever acknowledged.
 *
 * At each start the node asks all other members. Each answers with its certificate, in which it has
 * noted the asker's store unless it knew another one, durably before it answers, and with the
 * greatest number of changes that it was told are durable in that store. So a node is complete once
 * every member has answered that it knows no other store of it, and was told of no more than was
 * recovered. A wiped store finds another one named in its place; a store that lost the end of its
 * log told more than it has. Both are incomplete until they are filled: then the store takes a name
 * of a greater generation, and with it the place of the store that was named. Everything that was
 * told of the former name counts no more.
 *
 * Every member that may have been told must answer: another one need not know. Only a member
 * without which the cluster formed, by an operator's word, is not waited for. Its first answer is
 * judged all the same, whenever it comes: until then it is told nothing, so that it can only know
 * what earlier starts told it.
 *
 * A state is a value: `step` never changes it, but returns the next.
 */
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
  /**
   * The members that had not answered when the node became sure, each with the least number of
   * changes that a start recovered since its last answer.
   */
  readonly unjudged: ReadonlyMap<NodeId, number>
  /** The store's name, where it was filled; undefined where that is its id. */
  readonly filledAs: Certificate.StoreEntry | undefined
}

export interface FormationState extends Standing {
  readonly self: NodeId
  /** The name of this node's store. */
  readonly store: Certificate.StoreEntry
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
  /**
   * `told`: the greatest number of changes that it was told are durable in this node's store, or
   * `cannotTell`.
   */
  | { readonly _tag: "Answered"; readonly told: number } & Introduction
  /** An operator's word: the members that have not answered by now are not waited for. */
  | { readonly _tag: "Forced" }
  /** Every complete owner has sent everything that it had; `id` is drawn. */
  | { readonly _tag: "Filled"; readonly id: string }

/**
 * In place of a number of changes: the node's memory of what it was told cannot be read. It is more
 * than any store has, so that a node which does not know it believes the worst.
 */
export const cannotTell = Number.MAX_SAFE_INTEGER

/** Of a directory that was just made. */
export const newStore: Standing = {
  certificate: Certificate.open,
  own: "new",
  unsureSince: undefined,
  unjudged: new Map(),
  filledAs: undefined
}

/** Of a directory from before there were certificates. */
export const storeFromBefore: Standing = {
  certificate: Certificate.formedBefore,
  own: "named",
  unsureSince: undefined,
  unjudged: new Map(),
  filledAs: undefined
}

/**
 * Of a directory whose standing was lost: it may have been one of a store that lost changes, so it
 * counts as one, until the store is filled.
 */
export const lostStanding: Standing = {
  certificate: Certificate.formedBefore,
  own: "amnesiac",
  unsureSince: undefined,
  unjudged: new Map(),
  filledAs: undefined
}

/** The standing from a start on; `recovered` counts the changes that the store has. */
export const begin = (standing: Standing, recovered: number): Standing => {
  const { own, unsureSince = recovered } = standing
  const isOpen = own === "new" || own === "named"
  return { ...standing, unsureSince: isOpen ? Math.min(unsureSince, recovered) : undefined }
}

/** The name of the store with this id. */
export const nameOf = ({ filledAs }: Standing, id: string): Certificate.StoreEntry => filledAs ?? id

/** The state at a start; `recovered` counts the changes that the store has of all earlier ones. */
export const make = (options: {
  readonly standing: Standing
  readonly self: NodeId
  readonly store: string
  readonly members: ReadonlyArray<NodeId>
  readonly recovered: number
}): FormationState => {
  const { members, self } = options
  const store = nameOf(options.standing, options.store)
  const standing = begin(options.standing, options.recovered)
  const recovered = standing.unsureSince ?? options.recovered
  const others = members.filter((node) => node !== self)
  const state = { ...standing, self, store, others, recovered }
  return settle({ ...state, answered: new Set(), heard: new Map() })
}

/** The state after an event. */
export const step = (state: FormationState, event: FormationEvent): FormationState => {
  if (event._tag === "Forced") return force(state)
  if (event._tag === "Filled") return fill(state, event.id)
  if (!state.others.includes(event.from)) return state
  const known = hear(state, event)
  return settle(event._tag === "Asked" ? known : answer(known, event))
}

/** The members without whose answer the node is not complete. */
export const awaited = (state: FormationState): ReadonlyArray<NodeId> =>
  state.unsureSince === undefined ? [] : needed(state)

/**
 * The members to ask: those awaited or whose first answer is missing, and those whose certificate
 * is not known to agree.
 */
export const toAsk = (state: FormationState): ReadonlyArray<NodeId> => {
  const { certificate, heard, others, unjudged } = state
  const missing = new Set(awaited(state))
  return others.filter((node) => {
    const known = heard.get(node)
    return missing.has(node) || unjudged.has(node) || known === undefined
      || !Certificate.isEqual(known, certificate)
  })
}

/** Whether this node's votes count for `pr` and `pw`, and its "absent" for `r`. */
export const completeness = (state: FormationState): Completeness => {
  const { certificate, own, self, store, unsureSince } = state
  const entry = certificate.stores.get(self) ?? store
  if (own !== "named" || entry !== store) return "incomplete"
  return unsureSince === undefined ? "complete" : "unsure"
}

/** Whether the store is known to lack something, so that other owners are to send it everything. */
export const isToBeFilled = (state: FormationState): boolean =>
  state.certificate.formed && state.unsureSince === undefined
  && completeness(state) === "incomplete"

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
 * Whether a node may be told how many changes are durable here: not while its answer is missing,
 * which could then speak of changes that were made since the start.
 */
export const mayTell = ({ own, unjudged, unsureSince }: FormationState, node: NodeId): boolean =>
  own === "named" && unsureSince === undefined && !unjudged.has(node)

/** Whether the states are the same on disk. */
export const isSameStanding = (left: Standing, right: Standing): boolean =>
  left.certificate === right.certificate && left.own === right.own
  && left.unsureSince === right.unsureSince && left.unjudged === right.unjudged
  && left.filledAs === right.filledAs

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

type Answered = Extract<FormationEvent, { readonly _tag: "Answered" }>

/** The store is known to lack something: no question is open any more. */
const decided = (state: FormationState, own: "unnamed" | "amnesiac"): FormationState => ({
  ...state,
  own,
  unsureSince: undefined,
  unjudged: new Map()
})

const answer = (state: FormationState, event: Answered): FormationState => {
  const { recovered, self, store, unsureSince, unjudged } = state
  const { certificate, from, told } = event
  if (unsureSince === undefined) return judge(state, event)
  if (told !== cannotTell && told > leastRecovered(unjudged, from, recovered)) {
    return decided(state, "amnesiac")
  }
  const entry = certificate.stores.get(self)
  if (entry !== store) return isLate(state, certificate) ? state : decided(state, "unnamed")
  return told === cannotTell ? state : withAnswer(state, from)
}

/**
 * Takes the first answer of a member for which the node did not wait. Of the others, which have
 * answered and may know of changes since the start, no answer can judge the store.
 */
const judge = (state: FormationState, { from, told }: Answered): FormationState => {
  const recovered = state.unjudged.get(from)
  if (recovered === undefined) return state
  // The operator's word stands where the member cannot tell.
  const isLost = told !== cannotTell && told > recovered
  return isLost ? decided(state, "amnesiac") : withAnswer(state, from)
}

const withAnswer = (state: FormationState, from: NodeId): FormationState => {
  const answered = new Set(state.answered).add(from)
  if (!state.unjudged.has(from)) return { ...state, answered }
  const unjudged = new Map(state.unjudged)
  unjudged.delete(from)
  return { ...state, answered, unjudged }
}

const leastRecovered = (
  unjudged: Standing["unjudged"],
  node: NodeId,
  recovered: number
): number => Math.min(recovered, unjudged.get(node) ?? recovered)

/** Whether a node that does not name this store notes it yet, as the store was named before. */
const isLate = ({ own, self, store }: FormationState, heard: Certificate.Certificate): boolean => {
  const entry = heard.stores.get(self)
  return entry === undefined && (own === "named" || !heard.formed)
    || own === "named" && entry !== undefined
      && (entry === Certificate.excluded
        || Certificate.generationOf(entry) < Certificate.generationOf(store))
}

/** Ends the questions where they are answered. */
const settle = (state: FormationState): FormationState => {
  if (state.unsureSince === undefined || needed(state).length > 0) return state
  return { ...sure(state), certificate: formed(state) }
}

/** Names the own store, and notes whose answers are still to be judged. */
const sure = (state: FormationState): FormationState => {
  const { answered, others, recovered } = state
  const missing = others.filter((node) => !answered.has(node))
    .map((node) => [node, leastRecovered(state.unjudged, node, recovered)] as const)
  return { ...state, own: "named", unsureSince: undefined, unjudged: new Map(missing) }
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
    return decided(state, "unnamed")
  }
  const missing = needed(state).filter((node) => !state.certificate.stores.has(node))
  const certificate = missing.reduce(
    (known, node) => Certificate.withStore(known, node, Certificate.excluded),
    state.certificate
  )
  const next = { ...sure(state), certificate }
  return { ...next, certificate: formed(next) }
}

const fill = (state: FormationState, id: string): FormationState => {
  if (!isToBeFilled(state)) return state
  const { certificate, self, store } = state
  const named = certificate.stores.get(self) ?? store
  const isLater = Certificate.generationOf(named) > Certificate.generationOf(store)
  const filledAs = Certificate.replacing(isLater ? named : store, id)
  return {
    ...state,
    certificate: Certificate.withStore(certificate, self, filledAs),
    own: "named",
    store: filledAs,
    filledAs,
    unjudged: new Map()
  }
}
