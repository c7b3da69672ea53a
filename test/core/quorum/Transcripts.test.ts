/**
 * Tells how reads and writes are decided, event by event, in the transcripts beside it.
 *
 * A line for each node that was asked or is down begins with a mark: `?` awaited, `+` counts, `~`
 * counts, but not for `dw`, `.` has nothing that counts, `!` refused or damaged, `-` unreachable.
 * A version is named by the writes that it has seen, a letter each: `a` and `b` are concurrent,
 * and join to `ab`.
 */
import type { NodeId } from "../../../src/core/model/Names.ts"
import * as Quorum from "../../../src/core/quorum/Quorum.ts"
import * as ReadDecision from "../../../src/core/quorum/ReadDecision.ts"
import * as Targets from "../../../src/core/quorum/Targets.ts"
import * as WriteDecision from "../../../src/core/quorum/WriteDecision.ts"
import { type Command, type Interpreter, transcripts } from "../../tooling/transcripts.ts"
import { nodeName } from "./NodesModel.ts"

type Counts = Readonly<Record<string, number>>
type Decision = ReadDecision.ReadDecision | WriteDecision.WriteDecision

const listed = ({ options }: Command, key: string): ReadonlyArray<NodeId> =>
  (options.get(key) ?? "").split(",").filter((name) => name !== "").map(nodeName)

/** A node of `previous` that is not one of `nodes` is leaving. */
const nodesOf = (command: Command): Targets.Nodes => {
  const nodes = listed(command, "nodes")
  const previous = listed(command, "previous")
  const incomplete = listed(command, "incomplete")
  const down = listed(command, "down")
  const targets = [...nodes, ...previous.filter((node) => !nodes.includes(node))].map((node) => ({
    node,
    primary: nodes.includes(node) && !incomplete.includes(node),
    previous: previous.includes(node),
    up: !down.includes(node)
  }))
  return { targets, fallbacks: listed(command, "fallbacks") }
}

const numbersOf = ({ options }: Command): Readonly<Record<string, number>> =>
  Object.fromEntries(
    ["r", "pr", "w", "pw", "dw"]
      .flatMap((key) => options.has(key) ? [[key, Number(options.get(key))] as const] : [])
  )

const roleOf = ({ nodes, standIns }: Decision, index: number): string => {
  const target = nodes.targets[index]
  if (target === undefined) {
    return `fallback for ${nodes.targets[standIns[index - nodes.targets.length]!]!.node}`
  }
  if (!target.primary) return target.previous ? "leaving" : "incomplete primary"
  return target.previous ? "primary, also before" : "primary"
}

/** A line for each node that is asked or down: its mark, name, role and answer. */
const drawn = (decision: Decision, answer: (index: number) => string): ReadonlyArray<string> => {
  const roles = [...decision.nodes.targets, ...decision.standIns]
    .map((_, index) => `${Targets.nodeAt(decision.nodes, index)}  ${roleOf(decision, index)}`)
  const width = Math.max(...roles.map(({ length }) => length))
  return roles.map((role, index) => {
    const [mark, ...words] = answer(index).split(" ")
    return `${mark} ${role.padEnd(width)}  ${words.join(" ")}`
  })
}

const countsOf = (had: Counts, needed: Counts): string =>
  ["r", "pr", "w", "pw", "dw"].flatMap((key) => {
    const need = needed[key] ?? 0
    const has = had[key] ?? 0
    return need === 0 ? [] : [`${key} ${has} ${has < need ? "<" : ">="} ${need}`]
  }).join(", ")

const sends = ({ substitutes }: Decision): ReadonlyArray<string> =>
  substitutes.map(({ hintFor, node }) => `send to ${node}, in place of ${hintFor}`)

const writeMark = ({ answers }: WriteDecision.WriteDecision) => (index: number): string => {
  if (Targets.has(answers.durable, index)) return "+ on disk"
  if (Targets.has(answers.acknowledged, index)) return "~ in memory"
  const reason = answers.reasons.find((each) => each.index === index)?.reason
  if (Targets.has(answers.refused, index)) return `! refused: ${reason}`
  return Targets.has(answers.unreachable, index) ? "- unreachable" : "? awaited"
}

const writeOutcome = ({ outcome }: WriteDecision.WriteDecision): string => {
  if (outcome._tag !== "Fail") return outcome._tag === "Wait" ? "wait" : "answer"
  return outcome.mayHaveApplied
    ? "fail, and the write may have been applied"
    : "fail, and the write was not applied"
}

/** Which hints there are in the end: of fallbacks that may have stored the write. */
const hints = (write: WriteDecision.WriteDecision): ReadonlyArray<string> =>
  write.standIns.flatMap((target, i) => {
    const index = write.nodes.targets.length + i
    if (!Targets.has(write.answers.acknowledged, index)) return []
    const node = Targets.nodeAt(write.nodes, index)
    return [`hint on ${node} for ${write.nodes.targets[target]!.node}`]
  })

const printWrite = (write: WriteDecision.WriteDecision): string =>
  [
    ...drawn(write, writeMark(write)),
    `${countsOf({ ...WriteDecision.had(write) }, { ...write.needs })}: ${writeOutcome(write)}`,
    ...sends(write),
    ...(WriteDecision.isFinished(write) ? ["finished", ...hints(write)] : [])
  ].join("\n")

const readMark = ({ answers, nodes }: ReadDecision.ReadDecision) => (index: number): string => {
  const found = answers.versions.find((each) => each.index === index)
  if (found !== undefined) return `+ has ${found.version}`
  if (Targets.has(answers.absent, index)) {
    const counts = Targets.has((nodes.primaries | nodes.previous) & ~answers.unknowing, index)
    return `${counts ? "+" : "."} has nothing`
  }
  if (Targets.has(answers.damaged, index)) return "! damaged"
  return Targets.has(answers.unreachable, index) ? "- unreachable" : "? awaited"
}

const readOutcome = ({ outcome }: ReadDecision.ReadDecision, joined: string): string => {
  switch (outcome._tag) {
    case "Wait":
      return "wait"
    case "Answer":
      return joined === "" ? "answer not found" : `answer ${joined}`
    case "Fail":
      return "fail"
    case "NotCovered":
      return "fail, as the session has seen more"
  }
}

const printRead = (read: ReadDecision.ReadDecision, told: string, joined: string): string =>
  [
    ...drawn(read, readMark(read)),
    `${countsOf({ ...ReadDecision.had(read) }, { ...read.needs })}: ${told}`,
    ...sends(read),
    ...(ReadDecision.isFinished(read)
      ? [
        "finished",
        ...ReadDecision.repairs(read, joined === "" ? undefined : joined).map(
          ({ hintFor, node }) =>
            `repair ${node} with ${joined}${hintFor === undefined ? "" : `, hint for ${hintFor}`}`
        )
      ]
      : [])
  ].join("\n")

const join = (left: string, right: string): string =>
  [...new Set((left + right).split(""))].sort().join("")

const indexOf = (nodes: Targets.Nodes, node: string): number => {
  const index = Targets.indexOf(nodes, nodeName(node))
  if (index === -1) throw new Error(`${node} is no node of this request`)
  return index
}

/** A replica is complete unless its answer says otherwise: `absent n2 incomplete`. */
const isWhole = ({ words }: Command): boolean => !words.includes("incomplete")

const writeEvent = (command: Command, nodes: Targets.Nodes): WriteDecision.WriteEvent => {
  const { name, words: [node = "", detail = ""] } = command
  if (name === "deadline") return { _tag: "Deadline" }
  const index = indexOf(nodes, node)
  if (name === "unreachable") return { _tag: "Unreachable", index }
  if (name === "refused") return { _tag: "Refused", index, reason: detail }
  if (name === "acknowledged") {
    return {
      _tag: "Acknowledged",
      index,
      durable: detail === "durable",
      complete: isWhole(command)
    }
  }
  throw new Error("a write has no such event")
}

const writing = (command: Command): Interpreter => {
  const nodes = nodesOf(command)
  const n = listed(command, "nodes").length
  const request = numbersOf(command)
  const needs = Quorum.resolveWrite({ n, durability: "synced", bucket: {}, request })
  if (needs._tag === "Unmeetable") throw new Error(`${needs.setting} must be ${needs.expected}`)
  let write = WriteDecision.make(needs, nodes)
  return (next) => {
    if (next !== command) write = WriteDecision.step(write, writeEvent(next, nodes))
    return printWrite(write)
  }
}

const readEvent = (
  command: Command,
  nodes: Targets.Nodes,
  covers: (version: string) => boolean
): ReadDecision.ReadEvent => {
  const { name, words: [node = "", version = ""] } = command
  if (name === "deadline") return { _tag: "Deadline" }
  const index = indexOf(nodes, node)
  if (name === "unreachable") return { _tag: "Unreachable", index }
  if (name === "absent") {
    return { _tag: "Absent", index, completeness: isWhole(command) ? "complete" : "incomplete" }
  }
  if (name === "damaged") return { _tag: "Damaged", index }
  if (name === "found") {
    const complete = isWhole(command)
    return { _tag: "Found", index, version, covered: covers(version), complete }
  }
  throw new Error("a read has no such event")
}

const reading = (command: Command): Interpreter => {
  const nodes = nodesOf(command)
  const n = listed(command, "nodes").length
  const needs = Quorum.resolveRead({ n, bucket: {}, request: numbersOf(command) })
  if (needs._tag === "Unmeetable") throw new Error(`${needs.setting} must be ${needs.expected}`)
  const session = command.options.get("session") ?? ""
  let joined = ""
  const covers = (version: string): boolean => {
    joined = join(joined, version)
    return join(joined, session) === joined
  }
  let read = ReadDecision.make(needs, nodes, { covered: session === "" })
  let told = readOutcome(read, joined)
  return (next) => {
    const before = read.outcome
    if (next !== command) read = ReadDecision.step(read, readEvent(next, nodes, covers))
    if (read.outcome !== before) told = readOutcome(read, joined)
    return printRead(read, told, joined)
  }
}

/** Each `read` or `write` begins a request; the other commands are events of the last one begun. */
transcripts(new URL("transcripts/", import.meta.url), () => {
  let run: Interpreter | undefined
  return (command) => {
    if (command.name === "write") run = writing(command)
    if (command.name === "read") run = reading(command)
    if (run === undefined) throw new Error("no request was begun")
    return run(command)
  }
})
