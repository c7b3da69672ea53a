/**
 * Tells how the ring changes, story by story: each node has a log of its own, operators change
 * members at some node, and nodes exchange their logs.
 *
 * `form n1 n2@hall partitions=16 replicas=3` forms a cluster (with a node in a zone). `join n4`,
 * `leave n2`, `remove n2`, `replace n2 n5` and `adjust n3` make an entry `at=n1`; a member may have
 * a `zone=`, `weight=` and `site=`. `exchange n1 n2` joins two logs, `settle n1 n2` says that all
 * has been transferred, `place 3 n=2` shows where requests go.
 */
import * as Result from "effect/Result"
import type { LogEntry } from "../../../src/core/ring/LogEntry.ts"
import type { Member, MemberChange } from "../../../src/core/ring/Membership.ts"
import * as MembershipLog from "../../../src/core/ring/MembershipLog.ts"
import { moves } from "../../../src/core/ring/Moves.ts"
import type { Ring } from "../../../src/core/ring/Ring.ts"
import * as RingState from "../../../src/core/ring/RingState.ts"
import { type Command, type Interpreter, transcripts } from "../../tooling/transcripts.ts"
import { member, nodeId } from "./clusters.ts"

type State = RingState.RingState

const short = (text: string) => text.replace(/\b([0-9a-f]{8})[0-9a-f]{24}\b/gu, "$1")

const memberOf = (text: string, options: Command["options"]): Member => {
  const [name, zone = options.get("zone")] = text.split("@")
  const site = options.get("site")
  const placed = member(name!, { weight: Number(options.get("weight") ?? 1), zone })
  return site === undefined ? placed : { ...placed, site }
}

const changeOf = ({ name, options, words: [id, by] }: Command): MemberChange => {
  switch (name) {
    case "join":
      return { _tag: "Join", member: memberOf(id!, options) }
    case "leave":
      return { _tag: "Leave", id: nodeId(id!) }
    case "remove":
      return { _tag: "Remove", id: nodeId(id!) }
    case "replace":
      return { _tag: "Replace", id: nodeId(id!), by: memberOf(by!, options) }
    case "adjust":
      return { _tag: "Adjust", member: memberOf(id!, options) }
    default:
      throw new Error("no such command")
  }
}

const showMember = ({ id, site, weight, zone }: Member): string => {
  const more = [
    ...zone === undefined ? [] : [`zone ${zone}`],
    ...weight === 1 ? [] : [`weight ${weight}`],
    ...site === undefined ? [] : [`site ${site}`]
  ]
  return more.length === 0 ? id : `${id} (${more.join(", ")})`
}

const showChange = (change: MemberChange): string => {
  switch (change._tag) {
    case "Join":
    case "Adjust":
      return `${change._tag} ${change.member.id}`
    case "Replace":
      return `Replace ${change.id} by ${change.by.id}`
    case "Leave":
    case "Remove":
      return `${change._tag} ${change.id}`
  }
}

const showEntry = ({ author, changes, id }: LogEntry): string =>
  `${short(id)} (${changes.map(showChange).join(", ")}; by ${author ?? "all"})`

const showMoves = (before: Ring | undefined, { owners }: Ring, after: Ring): string => {
  const all = owners.flat().length
  return before === undefined
    ? `${all} places`
    : `${moves(before, after).gained.length} of ${all} places moved`
}

/** A state, and how it came from the one before. */
const show = (node: string, before: State | undefined, after: State): string => {
  const { log, previous, ring, voided } = after
  const heads = MembershipLog.heads(log)
  return [
    `${node}: ${ring.members.map(showMember).join(", ")}`,
    `ring ${ring.digest}, ${showMoves(before?.ring, ring, ring)}`,
    ...heads.length === 1 ? [] : [`heads ${heads.map(short).join(", ")}`],
    ...previous.length === 0
      ? []
      : [`not settled since ${previous.map((r) => r.digest).join(", ")}`],
    ...voided.map(({ entry, reason }) => `void ${showEntry(entry)}: ${short(reason)}`)
  ].join("\n")
}

const begin = (): Interpreter => {
  const states = new Map<string, State>()
  let options = { partitionCount: 16, replicaCount: 3 }
  const stateOf = (node: string): State => {
    const state = states.get(node)
    if (state === undefined) throw new Error(`${node} has no log yet`)
    return state
  }
  const learn = (node: string, log: MembershipLog.MembershipLog): string => {
    const before = states.get(node)
    const after = before === undefined
      ? RingState.make({ ...options, log })
      : Result.getOrThrow(RingState.step(before, log))
    states.set(node, after)
    return after === before ? `${node}: nothing new` : show(node, before, after)
  }
  return (command) => {
    const { name, options: given, words } = command
    const at = given.get("at") ?? "n1"
    switch (name) {
      case "form": {
        options = {
          partitionCount: Number(given.get("partitions") ?? 16),
          replicaCount: Number(given.get("replicas") ?? 3)
        }
        const log = MembershipLog.form(words.map((text) => memberOf(text, given)))
        const [shown] = words.map((text) => learn(text.split("@")[0]!, log))
        return shown!.replace(/^\w+/u, "all")
      }
      case "exchange": {
        const [left, right] = [stateOf(words[0]!).log, states.get(words[1]!)?.log]
        const first = right === undefined ? [] : [learn(words[0]!, right)]
        return [...first, learn(words[1]!, left)].join("\n")
      }
      case "settle":
        for (const node of words) states.set(node, RingState.settle(stateOf(node)))
        return ""
      case "place": {
        const n = Number(given.get("n") ?? 3)
        return showPlacement(stateOf(at), { n, partition: Number(words[0]) })
      }
    }
    const state = stateOf(at)
    const settled = RingState.isSettled(state)
    const proposal = { author: nodeId(at), changes: [changeOf(command)] as const, settled }
    const appended = MembershipLog.append(state.log, proposal)
    return Result.isFailure(appended)
      ? `refused: ${short(appended.failure.reason)}`
      : learn(at, appended.success)
  }
}

const showPlacement = (
  state: State,
  at: { readonly n: number; readonly partition: number }
): string => {
  const { fallbacks, primaries, targets } = RingState.placement(state, {
    ...at,
    withFallbacks: true
  })
  const role = ({ node, previous, primary }: RingState.PlacedNode): string => {
    if (primary) return previous ? "primary, and previous owner" : "primary"
    return primaries.includes(node) ? "incomplete primary" : "previous owner, leaving"
  }
  return [
    ...targets.map((target) => `${target.node}  ${role(target)}`),
    ...fallbacks.map((node) => `${node}  fallback`)
  ].join("\n")
}

transcripts(new URL("transcripts/", import.meta.url), begin)
