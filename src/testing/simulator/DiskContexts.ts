/**
 * Remembers which dots of each document the disks have, so that it can be judged whether readers
 * were shown what no disk had, and whether dots that they were told are lost were so.
 */
import { contains, type VersionVector } from "../../core/clock/VersionVector.ts"
import { Malformed } from "../../core/codec/Bytes.ts"
import { type RowKey, textOf } from "../../core/model/RowKey.ts"
import * as RowCodec from "../../replica/RowCodec.ts"
import type { StoredDocument } from "../../storage/Storage.ts"

/**
 * The contexts of one document on the disks of nodes. The disk of a second process under a node's
 * id has a name of its own: its node never has what is there.
 */
export type Held = ReadonlyMap<string, VersionVector>

export class DiskContexts {
  /** By document and node; without the nodes whose disk may have lost anything since. */
  readonly #held = new Map<string, Map<string, VersionVector>>()
  /** By document: the greatest counter of each actor that any disk ever had. */
  readonly #written = new Map<string, Map<string, number>>()

  /** Notes a document that is on the disk of a process, and can be read there. */
  committed(node: string, key: RowKey, { header }: StoredDocument): void {
    const context = this.stored(key, header)
    if (context === undefined) return
    const name = textOf(key)
    const nodes = this.#held.get(name) ?? new Map<string, VersionVector>()
    this.#held.set(name, nodes.set(node, context))
  }

  /** Notes a header that is on a disk; the elements beside it may be damaged. */
  stored(key: RowKey, header: Uint8Array): VersionVector | undefined {
    const held = RowCodec.decodeHeader(header)
    if (held instanceof Malformed) return undefined
    const { context } = held.document
    const name = textOf(key)
    const written = this.#written.get(name) ?? new Map<string, number>()
    this.#written.set(name, written)
    for (const [actor, counter] of context) {
      if (counter > (written.get(actor) ?? 0)) written.set(actor, counter)
    }
    return context
  }

  /** Notes that a document was removed from the disk of a process. */
  removed(node: string, key: RowKey): void {
    this.#held.get(textOf(key))?.delete(node)
  }

  /** A node's disk may have lost anything. */
  forget(node: string): void {
    for (const nodes of this.#held.values()) nodes.delete(node)
  }

  held(key: RowKey): Held {
    return new Map(this.#held.get(textOf(key)))
  }

  /** The dots of a history that no disk ever had. */
  unwritten(key: RowKey, vector: VersionVector): ReadonlyArray<string> {
    const written = this.#written.get(textOf(key)) ?? new Map<string, number>()
    return [...vector].filter(([actor, counter]) => !contains(written, actor, counter))
      .map(([actor, counter]) => `${actor} ${counter}`)
  }
}

/** The dots that a disk had before and still has, with the names of their nodes. */
export const heldAllTheTime = (
  dots: VersionVector,
  { after, before, nodes }: {
    readonly before: Held
    readonly after: Held
    readonly nodes: ReadonlyArray<string>
  }
): ReadonlyArray<string> =>
  [...dots].flatMap(([actor, counter]) =>
    nodes.filter((node) =>
      [before, after].every((held) => contains(held.get(node) ?? new Map(), actor, counter))
    ).map((node) => `${actor} ${counter} at ${node}`)
  )
