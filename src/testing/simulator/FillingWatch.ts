/**
 * Looks after stores that were filled: one that says that it has all that it ever acknowledged has
 * what its disk had before it lost something, as far as another node has had it all the time: an
 * owner, or a stand-in for one.
 */
import { contains, empty } from "../../core/clock/VersionVector.ts"
import type { RowKey } from "../../core/model/RowKey.ts"
import type { LocalRead } from "../../replica/LocalDocument.ts"
import type { DiskContexts, Held } from "./DiskContexts.ts"
import type { Loss } from "./History.ts"
import { documentNameOf } from "./Plan.ts"

/** A document, its row, and the nodes that are to have it. */
export interface Owned {
  readonly bucket: string
  readonly key: string
  readonly row: RowKey
  readonly primaries: ReadonlyArray<string>
}

export interface FillingWatchOptions {
  readonly contexts: Pick<DiskContexts, "held">
  readonly documents: () => ReadonlyArray<Owned>
  readonly nodes: () => ReadonlyArray<string>
  readonly read: (node: string, key: RowKey) => LocalRead | undefined
  readonly losses: ReadonlyArray<Loss>
  /** Whether a node knows that it lacks something of this document, whatever its store has. */
  readonly isMended: (node: string, key: RowKey) => boolean
  readonly isTwinned: (node: string) => boolean
}

/** What the disks had of a document when one of them lost its copy. */
interface Before {
  readonly held: Held
  /** How many losses were known then. */
  readonly losses: number
}

export class FillingWatch {
  readonly #options: FillingWatchOptions
  /** By node and document: as it was when the node's store first lost it. */
  readonly #before = new Map<string, Map<string, Before>>()
  readonly #problems = new Set<string>()

  constructor(options: FillingWatchOptions) {
    this.#options = options
  }

  /** What a store lacks that was said to be filled, in a sentence each. */
  get problems(): ReadonlyArray<string> {
    return [...this.#problems]
  }

  /** A node's store is about to lose anything. */
  loses(node: string): void {
    const { contexts, documents, losses } = this.#options
    const known = this.#before.get(node) ?? new Map<string, Before>()
    this.#before.set(node, known)
    for (const document of documents()) {
      const name = documentNameOf(document)
      const held = contexts.held(document.row)
      if (held.has(node)) known.set(name, { held, losses: losses.length })
    }
  }

  /** A node says that its store has been filled. */
  filled(node: string): void {
    const known = this.#before.get(node) ?? new Map<string, Before>()
    this.#before.delete(node)
    // Two processes under one id are one replica that forgets.
    if (this.#options.isTwinned(node)) return
    for (const document of this.#options.documents()) {
      const before = known.get(documentNameOf(document))
      if (before !== undefined) this.#check(node, document, before)
    }
  }

  #check(node: string, document: Owned, { held, losses }: Before): void {
    const { contexts, isMended, isTwinned, nodes, read } = this.#options
    const { primaries, row } = document
    const name = documentNameOf(document)
    const local = read(node, row)
    // What the disk lost once more, and does not tell, nobody knows.
    const lostAgain = this.#options.losses.slice(losses).some((loss) =>
      loss.node === node && loss.document === name
    )
    if (!primaries.includes(node) || lostAgain) return
    if (local?._tag === "Damaged" || isMended(node, row)) return
    const has = local?._tag === "Found" ? local.document.context : empty
    const now = contexts.held(row)
    const others = nodes().filter((other) => other !== node && !isTwinned(other))
    for (const [actor, counter] of held.get(node) ?? empty) {
      if (contains(has, actor, counter)) continue
      const other = others.find((id) =>
        [held, now].every((of) => contains(of.get(id) ?? empty, actor, counter))
      )
      if (other === undefined) continue
      this.#problems.add(
        `${node} was filled without ${actor} ${counter} of ${name}, which it had, and ${other} has`
      )
    }
  }
}
