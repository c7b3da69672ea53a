/**
 * Checks the promises of the cluster as a whole: that healthy nodes answer, that replicas become
 * equal and then rest, that nothing is named twice, that metadata stay small.
 */
import { sorted } from "../../../core/clock/VersionVector.ts"
import type { Checker, FinalDocument, Record, Violation } from "../History.ts"
import { documentNameOf, isWrite } from "../Plan.ts"
import { documentsOf, everywhere, finder, isOnce } from "./Judging.ts"

export const availability: Checker = {
  name: "availability",
  promise: "a healthy node answers for its documents, a healed cluster answers everything",
  check: ({ unavailable }) => everywhere("availability", unavailable)
}

export const handoff: Checker = {
  name: "handoff",
  promise:
    "what is kept for others goes once they have it; a fallback that has nothing does not count",
  check: ({ owed = [] }) => everywhere("handoff", owed)
}

export const filling: Checker = {
  name: "filling",
  promise:
    "a store that was filled has what it had acknowledged before, as far as another node has it",
  check: ({ unfilled = [] }) => everywhere("filling", unfilled)
}

/** Whether all copies may be gone, since only one disk had any, and that was damaged. */
const mayBeLost = (record: Record, final: FinalDocument): boolean => {
  const told = documentsOf(record, final.bucket).find(({ key }) => key === final.key)
  const gone = [...final.digests].filter(([, digest]) => digest === "damaged")
  return gone.length > 0 && gone.every(([node]) => record.damaged.has(node))
    && told !== undefined && !told.writes.some(({ outcome }) => outcome === "ok")
}

const differences = (record: Record, final: FinalDocument): ReadonlyArray<Violation> => {
  const { add, found } = finder("convergence", final)
  const { digests, primaries, shown } = final
  const held = primaries.map((node) => digests.get(node) ?? "unknown")
  // Where the only copy was damaged, no node can repair it, and no read claims to know.
  const hasNone = held.every((digest) => digest === "absent" || digest === "damaged")
  if (hasNone && mayBeLost(record, final)) return found
  if (new Set(held).size > 1) {
    add(`the replicas differ: ${primaries.map((node, i) => `${node} ${held[i]}`).join(", ")}`)
  }
  for (const [node, digest] of digests) {
    if (!primaries.includes(node) && digest !== "absent") add(`${node} holds it and should not`)
  }
  const answers = new Set<string>()
  for (const [node, answer] of shown) {
    if (typeof answer === "string") add(`${node} cannot read it: ${answer}`)
    else answers.add(JSON.stringify([answer.value, answer.stamp, sorted(answer.vector)]))
  }
  if (answers.size > 1) add(`the nodes show ${[...answers].join(" and ")}`)
  return found
}

export const convergence: Checker = {
  name: "convergence",
  promise:
    "in the end all replicas are equal, all nodes show the same, and nothing more is written",
  check: (record) => [
    ...record.final.flatMap((final) => differences(record, final)),
    ...everywhere(
      "convergence",
      record.idleWrites > 0 ? [`${record.idleWrites} writes after all was done`] : []
    )
  ]
}

const doubles = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name, index) => names.indexOf(name) !== index)

const nodeOf = (actor: string): string => actor.slice(0, actor.indexOf("."))

/** Operations that were given several dots, though their clients were promised one. */
const carriedOutTwice = (record: Record): ReadonlyArray<string> =>
  record.events.flatMap((event) => {
    const { operation: { id } } = event
    const dots = record.made.get(id) ?? []
    return dots.length > 1 && isOnce(event, record)
      ? [`o${id} was carried out as ${dots.map(({ actor }) => actor).join(", ")}`]
      : []
  })

const twiceBegun = ({ incarnations }: Record): ReadonlyArray<string> =>
  doubles(incarnations.map(({ incarnation }) => incarnation)).map((twice) =>
    `incarnation ${twice} began twice`
  )

export const identity: Checker = {
  name: "identity",
  promise: "no incarnation, actor or dot is given twice, and no request carried out twice",
  check: (record) =>
    everywhere("identity", [
      ...record.reused,
      // A disk that lost the first time, or a second process without it, cannot know.
      ...record.lapses.filter(({ node }) => !record.damaged.has(node)).map(({ problem }) =>
        problem
      ),
      ...twiceBegun(record),
      ...carriedOutTwice(record)
    ])
}

/** `n1.<incarnation>` of an actor. */
const incarnationOf = (actor: string): string => actor.slice(0, actor.lastIndexOf("."))

const excesses = (record: Record, final: FinalDocument): ReadonlyArray<Violation> => {
  const { add, found } = finder("bounds", final)
  const name = documentNameOf(final)
  const writes = record.events
    .filter(({ operation }) => documentNameOf(operation) === name && isWrite(operation))
    .reduce((sum, { operation: { id } }) => sum + Math.max(1, record.made.get(id)?.length ?? 1), 0)
  const isReadable = ![...final.digests.values()].includes("damaged")
  for (const [node, { actors, deferrals = 0, leaves }] of final.sizes) {
    // Each dot has arrived, or no node has it: only a damaged row leaves that open.
    if (isReadable && deferrals > 0) add(`at ${node}, ${deferrals} removals wait for ever`)
    // A node that kept it for others, and handed it over, knows it no more when it comes again.
    const births = doubles(actors.map(incarnationOf)).filter((incarnation) =>
      !record.damaged.has(nodeOf(incarnation)) && final.primaries.includes(nodeOf(incarnation))
    )
    if (births.length > 0) add(`at ${node}, ${births.join(", ")} was born twice for it`)
    if (leaves > writes) add(`at ${node}, ${leaves} leaves after ${writes} requests`)
  }
  return found
}

export const bounds: Checker = {
  name: "bounds",
  promise:
    "an owner's incarnation is one actor in a document; leaves are no more than writes; waits end",
  check: (record) => record.final.flatMap((final) => excesses(record, final))
}
