/**
 * Names what the main thread and the storage thread tell each other, and packs a group into bytes.
 *
 * A group crosses as one packed run that is transferred. Cloning its objects would cost the main
 * thread more, and copy all of a large buffer of which a header is a small view.
 */
import { ByteReader, ByteWriter } from "../core/codec/Bytes.ts"
import type { Batch, Fact } from "./Committer.ts"
import type { Change, StorageFailure } from "./Storage.ts"
import type { StorageIdentity } from "./StorageOptions.ts"

export interface ThreadOptions {
  readonly databasePath: string
  readonly identity: StorageIdentity
  readonly fileBytesMax: number
}

export type ToThread =
  | {
    readonly _tag: "Commit"
    readonly id: number
    readonly epoch: number
    readonly packed: Uint8Array<ArrayBuffer>
  }
  | { readonly _tag: "Close" }

export type FromThread =
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Refused"; readonly reason: string }
  /** Group `id` and all before it are committed. */
  | { readonly _tag: "Committed"; readonly id: number }
  /** Neither these groups nor any other of their epoch will be committed. */
  | { readonly _tag: "Failed"; readonly failure: StorageFailure }

/** Bytes that may be absent: their length plus one, or zero. */
const writeOptional = (writer: ByteWriter, bytes: Uint8Array | undefined): void => {
  if (bytes === undefined) writer.varint(0)
  else writer.varint(bytes.length + 1).raw(bytes)
}

const readOptional = (reader: ByteReader): Uint8Array | undefined => {
  const length = reader.varint()
  return length === 0 ? undefined : reader.raw(length - 1)
}

const writeChange = (writer: ByteWriter, change: Change): void => {
  const { partition, bucket, partitionKey, sortKey } = change.key
  writer.varint(partition).text(bucket).text(partitionKey).text(sortKey)
  writeOptional(writer, change.header)
  writer.varint(change.elementCount).varint(change.elements.length)
  for (const [path, bytes] of change.elements) writeOptional(writer.text(path), bytes)
}

const readChange = (reader: ByteReader): Change => {
  const key = {
    partition: reader.varint(),
    bucket: reader.text(),
    partitionKey: reader.text(),
    sortKey: reader.text()
  }
  const header = readOptional(reader)
  const elementCount = reader.varint()
  const elements = Array.from(
    { length: reader.count("elements") },
    () => [reader.text(), readOptional(reader)] as const
  )
  return { key, header, elements, elementCount }
}

const readFact = (reader: ByteReader): Fact => ({ name: reader.text(), value: reader.text() })

export const pack = (batches: ReadonlyArray<Batch>): Uint8Array<ArrayBuffer> => {
  const writer = new ByteWriter(16_384)
  writer.varint(batches.length)
  for (const { changes, facts } of batches) {
    writer.varint(changes.length)
    for (const change of changes) writeChange(writer, change)
    writer.varint(facts.length)
    for (const { name, value } of facts) writer.text(name).text(value)
  }
  return new Uint8Array(writer.finish())
}

/** Views on `packed`. */
export const unpack = (packed: Uint8Array): ReadonlyArray<Batch> => {
  const reader = new ByteReader(packed)
  const list = <A>(read: (reader: ByteReader) => A): ReadonlyArray<A> =>
    Array.from({ length: reader.count("items") }, () => read(reader))
  const batches = list(() => ({ changes: list(readChange), facts: list(readFact) }))
  reader.end()
  return batches
}
