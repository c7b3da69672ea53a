/**
 * Writes and reads the messages by which two nodes compare what they hold.
 *
 * ```
 * body     = kind, the kind's own fields
 * sum      = upper half, lower half (4 bytes each, big-endian), count
 * versions = count, 8 bytes for each
 * cells    = count; for each the sum's halves and the check (4 bytes each), count as zigzag varint
 * ```
 */
import type {
  AntiEntropyBody,
  AntiEntropyKind,
  Compared,
  PartitionSum,
  RowCursor,
  SentDocument
} from "../../schemas/AntiEntropyMessage.ts"
import type { Sum } from "../core/anti-entropy/HashSet.ts"
import { type Slice, sliceBitsMax, wordsOfCell } from "../core/anti-entropy/Sketch.ts"
import { type ByteReader, type ByteWriter, Malformed } from "../core/codec/Bytes.ts"
import { completenesses } from "../core/model/Completeness.ts"
import { isEncoded } from "../core/model/DocumentKey.ts"

const kinds = [
  "Compare",
  "Compared",
  "Sketch",
  "Sketched",
  "Pull",
  "Pulled",
  "Offer",
  "Lacking",
  "Push",
  "Pushed",
  "Keeping"
] as const satisfies ReadonlyArray<AntiEntropyKind>

const outcomes: ReadonlyArray<Compared["outcome"]> = ["compared", "other ring", "other key", "busy"]

const digestBytes = 8
/** Of a sum and of a cell, without their counts. */
const wordBytes = { sum: 8, cell: 12 } as const

const writeWord = (writer: ByteWriter, word: number): ByteWriter =>
  writer.byte(word >>> 24 & 0xff).byte(word >>> 16 & 0xff).byte(word >>> 8 & 0xff).byte(word & 0xff)

const readWord = (reader: ByteReader): number => {
  const bytes = reader.raw(4, "a word")
  return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0
}

const writeSum = (writer: ByteWriter, { count, high, low }: Sum): ByteWriter =>
  writeWord(writeWord(writer, high), low).varint(count)

const readSum = (reader: ByteReader): Sum => {
  const [high, low] = [readWord(reader), readWord(reader)]
  return { high, low, count: reader.varint("a count of versions") }
}

const writeSums = (writer: ByteWriter, sums: ReadonlyArray<PartitionSum>): ByteWriter => {
  writer.varint(sums.length)
  for (const { partition, sum } of sums) writeSum(writer.varint(partition), sum)
  return writer
}

const readSums = (reader: ByteReader): ReadonlyArray<PartitionSum> =>
  Array.from({ length: reader.count("sums", 2 + wordBytes.sum) }, () => {
    const partition = reader.varint("a partition")
    return { partition, sum: readSum(reader) }
  })

const writePartitions = (writer: ByteWriter, partitions: ReadonlyArray<number>): ByteWriter => {
  writer.varint(partitions.length)
  for (const partition of partitions) writer.varint(partition)
  return writer
}

const readPartitions = (reader: ByteReader): ReadonlyArray<number> =>
  Array.from({ length: reader.count("partitions") }, () => reader.varint("a partition"))

const writeVersions = (writer: ByteWriter, versions: Uint32Array): ByteWriter => {
  writer.varint(versions.length / 2)
  for (const word of versions) writeWord(writer, word)
  return writer
}

const readVersions = (reader: ByteReader): Uint32Array => {
  const versions = new Uint32Array(2 * reader.count("versions", wordBytes.sum))
  for (let i = 0; i < versions.length; i++) versions[i] = readWord(reader)
  return versions
}

const writeCells = (writer: ByteWriter, cells: Int32Array): void => {
  writer.varint(cells.length / wordsOfCell)
  for (let at = 0; at < cells.length; at += wordsOfCell) {
    for (let word = 0; word < wordsOfCell - 1; word++) writeWord(writer, cells[at + word]!)
    const count = cells[at + wordsOfCell - 1]!
    writer.varint(count < 0 ? -2 * count - 1 : 2 * count)
  }
}

const readCells = (reader: ByteReader): Int32Array => {
  const cells = new Int32Array(wordsOfCell * reader.count("cells", 1 + wordBytes.cell))
  for (let at = 0; at < cells.length; at += wordsOfCell) {
    for (let word = 0; word < wordsOfCell - 1; word++) cells[at + word] = readWord(reader)
    const countAt = reader.offset
    const count = reader.varint("a count of a cell")
    if (count >= 2 ** 32) throw new Malformed("a count of a cell", countAt)
    cells[at + wordsOfCell - 1] = count % 2 === 0 ? count / 2 : -(count + 1) / 2
  }
  return cells
}

const writeSlice = (writer: ByteWriter, { bits, prefix }: Slice): ByteWriter =>
  writer.byte(bits).varint(prefix)

const readSlice = (reader: ByteReader): Slice => {
  const at = reader.offset
  const bits = reader.byte("bits of a slice")
  const prefix = reader.varint("a slice")
  if (bits > sliceBitsMax || prefix >= 2 ** bits) throw new Malformed("a slice", at)
  return { bits, prefix }
}

const bucketPattern = /^[a-z0-9][a-z0-9_-]{0,63}$/u
const fingerprintPattern = /^(?:[0-9a-f]{16})?$/u

const readBucket = (reader: ByteReader): string => {
  const at = reader.offset
  const bucket = reader.text("a bucket's name")
  if (!bucketPattern.test(bucket)) throw new Malformed("a bucket's name", at)
  return bucket
}

/** Empty for all buckets. */
const readScope = (reader: ByteReader): string => {
  const at = reader.offset
  const bucket = reader.text("a bucket's name, or none")
  if (bucket !== "" && !bucketPattern.test(bucket)) throw new Malformed("a bucket's name", at)
  return bucket
}

const readHalf = (reader: ByteReader): string => {
  const at = reader.offset
  const half = reader.text("half a key")
  if (!isEncoded(half)) throw new Malformed("half a key", at)
  return half
}

/** No bucket stands for no cursor. */
const writeCursor = (writer: ByteWriter, cursor: RowCursor | undefined): ByteWriter =>
  cursor === undefined
    ? writer.text("")
    : writer.text(cursor.bucket).text(cursor.key.partition).text(cursor.key.sort)

const readCursor = (reader: ByteReader): RowCursor | undefined => {
  const bucket = readScope(reader)
  if (bucket === "") return undefined
  return { bucket, key: { partition: reader.text("half a key"), sort: reader.text("half a key") } }
}

const writeDocuments = (
  writer: ByteWriter,
  documents: ReadonlyArray<SentDocument>
): ByteWriter => {
  writer.varint(documents.length)
  for (const { bucket, document, fingerprint, key } of documents) {
    writer.text(bucket).text(fingerprint).text(key.partition).text(key.sort).bytes(document)
  }
  return writer
}

const readDocuments = (reader: ByteReader): ReadonlyArray<SentDocument> =>
  Array.from({ length: reader.count("documents", 5) }, () => {
    const bucket = readBucket(reader)
    const at = reader.offset
    const fingerprint = reader.text("a fingerprint")
    if (!fingerprintPattern.test(fingerprint)) throw new Malformed("a fingerprint", at)
    const key = { partition: readHalf(reader), sort: readHalf(reader) }
    return { bucket, fingerprint, key, document: reader.bytes("a document") }
  })

export const writeAntiEntropy = (writer: ByteWriter, body: AntiEntropyBody): void => {
  writer.byte(kinds.indexOf(body.kind))
  switch (body.kind) {
    case "Compare":
      writeSums(writer.text(body.bucket).hex(body.ring).hex(body.hashKey), body.sums)
      return
    case "Compared":
      writer.byte(outcomes.indexOf(body.outcome)).byte(completenesses.indexOf(body.completeness))
      writePartitions(writeSums(writer, body.differing), body.unread)
      return
    case "Sketch":
      writeSlice(writer.text(body.bucket).varint(body.partition), body.slice)
        .varint(body.from).varint(body.count)
      return
    case "Sketched":
      writeCells(writeSum(writer, body.sum), body.cells)
      return
    case "Pull":
      writeCursor(
        writeVersions(writer.text(body.bucket).varint(body.partition), body.versions),
        body.after
      )
      return
    case "Pulled":
      writeCursor(writeDocuments(writer, body.documents), body.through)
      return
    case "Offer":
      writeVersions(writer.varint(body.partition), body.versions)
      return
    case "Lacking":
      writeVersions(writer, body.versions)
      return
    case "Push":
      writeDocuments(writer, body.documents)
      return
    case "Pushed":
      writer.varint(body.stored).varint(body.refused)
      return
    case "Keeping":
      writePartitions(writer.hex(body.ring).hex(body.hashKey), body.partitions)
  }
}

const readCompared = (reader: ByteReader): Compared => {
  const at = reader.offset
  const outcome = outcomes[reader.byte("an outcome")]
  if (outcome === undefined) throw new Malformed("an outcome", at)
  const completenessAt = reader.offset
  const completeness = completenesses[reader.byte("a completeness")]
  if (completeness === undefined) throw new Malformed("a completeness", completenessAt)
  const differing = readSums(reader)
  return { kind: "Compared", outcome, completeness, differing, unread: readPartitions(reader) }
}

/** Throws `Malformed`. */
export const readAntiEntropy = (reader: ByteReader): AntiEntropyBody => {
  const at = reader.offset
  const kind = kinds[reader.byte("a kind of message")]
  if (kind === undefined) throw new Malformed("a kind of message", at)
  switch (kind) {
    case "Compare": {
      const bucket = readScope(reader)
      const ring = reader.hex(digestBytes, "a ring's digest")
      const hashKey = reader.hex(digestBytes, "a key's id")
      return { kind, bucket, ring, hashKey, sums: readSums(reader) }
    }
    case "Compared":
      return readCompared(reader)
    case "Sketch": {
      const scope = { bucket: readScope(reader), partition: reader.varint("a partition") }
      const slice = readSlice(reader)
      return { kind, ...scope, slice, from: reader.varint("a cell"), count: reader.varint("cells") }
    }
    case "Sketched":
      return { kind, sum: readSum(reader), cells: readCells(reader) }
    case "Pull": {
      const scope = { bucket: readScope(reader), partition: reader.varint("a partition") }
      return { kind, ...scope, versions: readVersions(reader), after: readCursor(reader) }
    }
    case "Pulled":
      return { kind, documents: readDocuments(reader), through: readCursor(reader) }
    case "Offer": {
      const partition = reader.varint("a partition")
      return { kind, partition, versions: readVersions(reader) }
    }
    case "Lacking":
      return { kind, versions: readVersions(reader) }
    case "Push":
      return { kind, documents: readDocuments(reader) }
    case "Pushed":
      return { kind, stored: reader.varint("a count"), refused: reader.varint("a count") }
    case "Keeping": {
      const ring = reader.hex(digestBytes, "a ring's digest")
      const hashKey = reader.hex(digestBytes, "a key's id")
      return { kind, ring, hashKey, partitions: readPartitions(reader) }
    }
  }
}
