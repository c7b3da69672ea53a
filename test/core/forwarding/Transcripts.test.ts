/**
 * Tells how forwarding is decided, event by event, in the transcripts beside it.
 *
 * A line for each node begins with a mark: `?` the node in question, `-` asked before, ` ` not
 * asked.
 */
import * as ForwardDecision from "../../../src/core/forwarding/ForwardDecision.ts"
import { NodeId } from "../../../src/core/model/Names.ts"
import { type Command, type Interpreter, transcripts } from "../../tooling/transcripts.ts"

type Decision = ForwardDecision.ForwardDecision<string>
type Event = ForwardDecision.ForwardEvent<string>

const outcomeOf = ({ asked, outcome }: Decision): string => {
  switch (outcome._tag) {
    case "Wait":
      return "wait"
    case "Answer":
      return `answer "${outcome.answer}"${outcome.noneApplied ? ": no node carried it out" : ""}`
    case "Fail":
      return `fail: the request may have been carried out by ${asked.join(", ")}`
  }
}

const drawn = (decision: Decision): string => {
  const waits = decision.outcome._tag === "Wait"
  const lines = decision.nodes.map((node) => {
    if (waits && node === ForwardDecision.nodeOf(decision)) {
      const known = decision.incarnation === "" ? "" : `  as incarnation ${decision.incarnation}`
      return `? ${node}${known}`
    }
    return `${decision.asked.includes(node) ? "-" : " "} ${node}`
  })
  return [...lines, outcomeOf(decision)].join("\n")
}

const eventOf = ({ name, options, words }: Command): Event => {
  const from = NodeId.make(words[0] ?? "none")
  const answer = words[1] ?? ""
  const isCertain = !words.includes("doubtful")
  switch (name) {
    case "late":
      return { _tag: "Late" }
    case "deadline":
      return { _tag: "Deadline" }
    case "refused":
      return { _tag: "Refused", from, answer, isCertain }
    case "answered":
      return { _tag: "Answered", answer, isPassing: words.includes("passing"), isCertain }
    case "other-incarnation": {
      const [asked = "", heard = ""] = [options.get("asked"), options.get("heard")]
      return { _tag: "OtherIncarnation", from, asked, heard }
    }
    default:
      throw new Error(`no command of forwarding: ${name}`)
  }
}

const begin = (): Interpreter => {
  let decision: Decision | undefined
  const known = new Map<string, string>()
  return (command) => {
    if (command.name === "read" || command.name === "write") {
      const nodes = (command.options.get("nodes") ?? "").split(",").map((name) => NodeId.make(name))
      known.clear()
      for (const pair of (command.options.get("known") ?? "").split(",")) {
        const [node = "", incarnation = ""] = pair.split(":")
        known.set(node, incarnation)
      }
      decision = ForwardDecision.make<string>({ action: command.name, nodes })
    } else if (decision !== undefined) {
      const event = eventOf(command)
      if (event._tag === "OtherIncarnation") known.set(event.from, event.heard)
      decision = ForwardDecision.step(decision, event)
    }
    if (decision === undefined) throw new Error("a transcript begins with a read or a write")
    const { next } = decision
    if (next === undefined) return drawn(decision)
    const incarnation = known.get(next) ?? ""
    decision = ForwardDecision.step(decision, { _tag: "Sent", incarnation })
    return `${drawn(decision)}\nsend to ${next}`
  }
}

transcripts(new URL("./transcripts/", import.meta.url), begin)
