/**
 * Tells the story of one document in a run, line by line, for the reader of a failure.
 */
import { Malformed } from "../../core/codec/Bytes.ts"
import * as Row from "../../replica/RowCodec.ts"
import type { RowKey, StoredDocument } from "../../storage/Storage.ts"
import type { Event, Shown } from "./History.ts"
import type { PlannedFault, PlannedOperation } from "./Plan.ts"

/** Dots by node and birth, without the long names of incarnations. */
const dotsOf = (vector: ReadonlyMap<string, number>): string =>
  [...vector].map(([actor, counter]) => {
    const [node = "", incarnation = "", birth = ""] = actor.split(".")
    return `${node}.${incarnation.slice(-4)}.${birth}:${counter}`
  }).sort().join(" ")

const shownText = (shown: Shown | undefined): string =>
  shown === undefined
    ? "nothing"
    : `${JSON.stringify(shown.value) ?? "nothing"} (${dotsOf(shown.vector)}; ${shown.stamp})`

export class Story {
  readonly lines: Array<string> = []
  readonly #document: { readonly bucket: string; readonly key: string }
  readonly #now: () => number

  constructor(document: { readonly bucket: string; readonly key: string }, now: () => number) {
    this.#document = document
    this.#now = now
  }

  invoked(operation: PlannedOperation): void {
    if (!this.#isHere(operation)) return
    const { action: { kind, ...action }, consistency, id, node, session } = operation
    this.#tell(
      `o${id} ${kind} ${JSON.stringify(action)} ${consistency} by session ${session} at ${node}`
    )
  }

  ended({ error, operation, outcome, result, saw, sendings }: Event): void {
    if (!this.#isHere(operation)) return
    const sent = sendings > 1 ? ` after ${sendings} sendings` : ""
    const said = error ?? shownText(result)
    const brought = saw === undefined ? "" : `, having seen ${shownText(saw)}`
    this.#tell(`o${operation.id} ${outcome}${sent}: ${said}${brought}`)
  }

  fault(what: "begins" | "ends", { amount, fault, node, other }: PlannedFault): void {
    this.#tell(`${fault} ${what} at ${node} (${other}, ${amount})`)
  }

  began(node: string, incarnation: string): void {
    this.#tell(`${node} begins incarnation ${incarnation.slice(-4)}`)
  }

  wrote(node: string, key: RowKey, stored: StoredDocument): void {
    const { bucket, key: name } = this.#document
    if (key.bucket !== bucket || key.partitionKey !== `s${name}`) return
    const held = Row.decode(stored)
    if (held instanceof Malformed) return
    this.#tell(`${node} has on disk ${dotsOf(held.document.context)}`)
  }

  #isHere({ bucket, key }: PlannedOperation): boolean {
    return bucket === this.#document.bucket && key === this.#document.key
  }

  #tell(line: string): void {
    this.lines.push(`${this.#now().toFixed(1).padStart(9)} ${line}`)
  }
}
