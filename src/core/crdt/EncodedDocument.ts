/**
 * Describes a document in bytes, with its digest. The bytes of a tree are made only for those who
 * ask for them: its digest and its size come from the summary of its children.
 */
import { varintLength } from "../codec/EncodedLength.ts"
import { ByteWriter } from "../codec/Bytes.ts"
import { digest64 } from "../Hash.ts"
import type { Tree } from "./DotStore.ts"

export interface EncodedDocument {
  readonly bytes: Uint8Array
  /** 16 hexadecimal digits. */
  readonly digest: string
  /** Bytes free right before `bytes` in the same buffer, for one header; none unless said. */
  readonly roomBefore?: number
}

/** A document whose state is a tree, apart from the bytes of the tree. */
export interface TreeDocument {
  /** The bytes of the same document without its state. */
  readonly head: Uint8Array
  readonly tree: Tree
  /** Actors in the table that the document begins with. */
  readonly actors: number
  /** Encodes all of it. */
  readonly encode: () => Uint8Array
}

export class EncodedTree implements EncodedDocument {
  readonly #document: TreeDocument
  #bytes: Uint8Array | undefined
  #digest: string | undefined

  constructor(document: TreeDocument) {
    this.#document = document
  }

  get head(): Uint8Array {
    return this.#document.head
  }

  get bytes(): Uint8Array {
    return this.#bytes ??= this.#document.encode()
  }

  get digest(): string {
    return this.#digest ??= this.#digested()
  }

  /** At least that of `bytes`, and the same up to 128 actors. */
  get length(): number {
    const { actors, head, tree: { children } } = this.#document
    const { bytes, mentions } = children.summary
    const more = varintLength(Math.max(actors - 1, 0)) - 1
    return head.length + varintLength(children.size) + bytes + more * mentions
  }

  #digested(): string {
    const { head, tree: { children: { summary: { high, low } } } } = this.#document
    const sum = new Uint8Array(8)
    new DataView(sum.buffer).setUint32(0, high)
    new DataView(sum.buffer).setUint32(4, low)
    return digest64(ByteWriter.passing(head.length + sum.length).raw(head).raw(sum).view())
  }
}

/** About as many bytes as a document has: exactly, except for a tree with many actors. */
export const lengthOf = (encoded: EncodedDocument): number =>
  encoded instanceof EncodedTree ? encoded.length : encoded.bytes.length
