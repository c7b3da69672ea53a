/**
 * Tells how forwarding is decided, event by event, in the transcripts beside it.
 *
 * A line for each node begins with a mark: `?` the node in question, `-` asked before, ` ` not
 * asked. Behind it stand the marks under which it was asked and has not refused.
 */
import * as ForwardDecision from "../../../src/core/forwarding/ForwardDecision.ts"
import { NodeId } from "../../../src/core/model/Names.ts"
import { type Command, type Interpreter, transcripts } from "../../tooling/transcripts.ts"

type Decision = ForwardDecision.ForwardDecision<string>
type Event = ForwardDecision.ForwardEvent<string>

const outcomeOf = ({ outcome, tried }: Decision): string => {
  switch (outcome._tag) {
    case "Wait":
      return "wait"
    case "Answer":
      return `answer "${outcome.answer}"${outcome.noneApplied ? ": no node carried it out" : ""}`
    case "Fail": {
      const nodes = [...new Set(tried.map(({ node }) => node))]
      return nodes.length === 0
        ? "fail: no node has carried it out"
        : `fail: it may have been carried out by ${nodes.join(", ")}`
    }
  }
}

const drawn = (decision: Decision): string => {
  const waits = decision.outcome._tag === "Wait"
  const lines = decision.nodes.map((node) => {
    const marks = decision.tried.filter((target) => target.node === node)
      .map(({ mark }) => mark ?? "no mark")
    const isNext = waits && node === ForwardDecision.nodeOf(decision)
    const sign = isNext ? "?" : decision.asked.includes(node) ? "-" : " "
    return `${sign} ${node}${marks.length === 0 ? "" : `  under ${marks.join(", ")}`}`
  })
  return [...lines, outcomeOf(decision)].join("\n")
}

const eventOf = ({ name, options, words }: Command): Event => {
  const from = NodeId.make(words[0] ?? "none")
  const answer = words[1] ?? ""
  const sending = Number(options.get("sending") ?? 0)
  switch (name) {
    case "late":
      return { _tag: "Late" }
    case "down":
      return { _tag: "Down" }
    case "deadline":
      return { _tag: "Deadline" }
    case "stale":
      return { _tag: "Stale", from, sending }
    case "refused":
      return { _tag: "Refused", from, sending, answer }
    case "answered":
      return { _tag: "Answered", from, sending, answer, isPassing: words.includes("passing") }
    default:
      throw new Error(`no command of forwarding: ${name}`)
  }
}

const marksIn = ({ options }: Command): ReadonlyArray<readonly [string, string]> =>
  (options.get("marks") ?? "").split(",").filter((pair) => pair !== "").map((pair) => {
    const [node = "", mark = ""] = pair.split(":")
    return [node, mark]
  })

const begin = (): Interpreter => {
  let decision: Decision | undefined
  let sendings = 0
  const known = new Map<string, string>()
  return (command) => {
    for (const [node, mark] of marksIn(command)) known.set(node, mark)
    if (command.name === "read" || command.name === "write") {
      const nodes = (command.options.get("nodes") ?? "").split(",").map((name) => NodeId.make(name))
      decision = ForwardDecision.make<string>({ action: command.name, nodes, tried: [] })
      sendings = 0
    } else if (decision !== undefined) {
      decision = ForwardDecision.step(decision, eventOf(command))
    }
    if (decision === undefined) throw new Error("a transcript begins with a read or a write")
    const { next, tried } = decision
    if (next === undefined) return drawn(decision)
    const mark = tried.find(({ node }) => node === next)?.mark ?? known.get(next) ?? ""
    decision = ForwardDecision.step(decision, { _tag: "Sent", sending: ++sendings, mark })
    const named = mark === "" ? "to ask for its mark" : `under ${mark}`
    const sent = decision.action === "read" ? "" : ` ${named}`
    return `${drawn(decision)}\nsend ${sendings} to ${next}${sent}`
  }
}

transcripts(new URL("./transcripts/", import.meta.url), begin)
