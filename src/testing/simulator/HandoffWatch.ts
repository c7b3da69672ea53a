/**
 * Looks after documents that nodes keep for others: each goes only once its targets have it on
 * their disks.
 */
import { covers, empty } from "../../core/clock/VersionVector.ts"
import { type RowKey, textOf } from "../../core/model/RowKey.ts"
import * as HintRow from "../../replica/HintRow.ts"
import type { Batch } from "../../storage/Storage.ts"
import type { DiskContexts } from "./DiskContexts.ts"

export interface HandoffWatchOptions {
  readonly contexts: DiskContexts
  /** Whether a node's disk may have lost data, or two processes run under its id. */
  readonly isDoubtful: (node: string) => boolean
  /** The nodes to which a node owes a document, as it believes. */
  readonly targetsOf: (node: string, key: RowKey) => ReadonlyArray<string>
}

const nameOf = ({ bucket, partitionKey }: RowKey): string => `${bucket}/${partitionKey}`

/** Reads what nodes are about to store, and finds hints and copies that go too early. */
export class HandoffWatch {
  readonly #options: HandoffWatchOptions
  /** The document of each hint that was ever written. */
  readonly #keys = new Map<string, RowKey>()
  readonly #problems = new Set<string>()

  constructor(options: HandoffWatchOptions) {
    this.#options = options
  }

  note(problem: string): void {
    this.#problems.add(problem)
  }

  /** What went too early, or was counted that says nothing, in a sentence each. */
  get problems(): ReadonlyArray<string> {
    return [...this.#problems]
  }

  /** A node is about to store a batch. */
  asked(node: string, { documents, rows }: Batch): void {
    for (const { bytes, family, key } of rows) {
      if (family !== "hint" || typeof key === "function") continue
      const [target, arrival] = key
      const name = `${node} ${target} ${arrival}`
      const hint = bytes && HintRow.decode(bytes)
      if (hint !== undefined) this.#keys.set(name, hint.key)
      else this.#ends(node, target, this.#keys.get(name))
    }
    const kept = new Set(documents.flatMap(({ header, key }) => header ? [textOf(key)] : []))
    for (const { key } of documents) if (!kept.has(textOf(key))) this.#drops(node, key)
  }

  #ends(node: string, target: string, key: RowKey | undefined): void {
    const { contexts, isDoubtful } = this.#options
    if (key === undefined || isDoubtful(node) || isDoubtful(target)) return
    const held = contexts.held(key)
    if (covers(held.get(target) ?? empty, held.get(node) ?? empty)) return
    this.note(`${node} ends a hint for ${target}, which has no ${nameOf(key)} like it`)
  }

  #drops(node: string, key: RowKey): void {
    const { isDoubtful, targetsOf } = this.#options
    if (isDoubtful(node)) return
    for (const target of targetsOf(node, key)) {
      this.note(`${node} drops ${nameOf(key)}, which it owes ${target}`)
    }
  }
}
