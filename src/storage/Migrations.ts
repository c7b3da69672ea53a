/**
 * Lists the steps from each version of the file's format to the next.
 *
 * A document is a header row, whose path is empty, and a row for each element, side by side in one
 * clustered table: reading a document is one range, writing one element is one small row. All other
 * families share another table, where each one is a range in the order of its keys.
 */
import { crc32 } from "node:zlib"
import { rowChecksum } from "./Checksum.ts"
import type { Database } from "./Database.ts"
import { encodeKey, familyNumbers } from "./FamilyKey.ts"

const makeVersion1 = `CREATE TABLE rows (
     partition INTEGER NOT NULL,
     bucket TEXT NOT NULL,
     partition_key TEXT NOT NULL,
     sort_key TEXT NOT NULL,
     path TEXT NOT NULL,
     element_count INTEGER,
     checksum INTEGER NOT NULL,
     bytes BLOB NOT NULL,
     PRIMARY KEY (partition, bucket, partition_key, sort_key, path)
   ) WITHOUT ROWID, STRICT;
   CREATE TABLE facts (
     name TEXT PRIMARY KEY,
     value TEXT NOT NULL,
     checksum INTEGER NOT NULL
   ) WITHOUT ROWID, STRICT;
   CREATE TABLE identity (
     node TEXT NOT NULL,
     cluster TEXT NOT NULL,
     partition_count INTEGER NOT NULL
   ) STRICT;`

/** Changes no row of a document, so that a large file is migrated at once. */
const makeVersion2 = `
  ALTER TABLE rows RENAME TO documents;
  ALTER TABLE documents ADD COLUMN sequence INTEGER;
  CREATE TABLE family_rows (
    family INTEGER NOT NULL,
    key BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (family, key)
  ) WITHOUT ROWID, STRICT;`

/** Damaged facts counted as missing, and are. */
const moveFacts = (database: Database): void => {
  const insert = database.prepare("INSERT INTO family_rows VALUES (?, ?, ?, ?)")
  for (const row of database.prepare("SELECT name, value, checksum FROM facts").all()) {
    const [name, value] = [String(row["name"]), String(row["value"])]
    if (row["checksum"] !== crc32(`${name}\0${value}`)) continue
    const family = "metadata"
    const key = encodeKey(family, [name])
    const bytes = Buffer.from(value)
    const checksum = rowChecksum({ family, key, bytes })
    insert.run(familyNumbers[family], Buffer.from(key, "latin1"), checksum, bytes)
  }
  database.exec("DROP TABLE facts")
}

/** `user_version` counts the steps taken. A published step never changes: a new one follows it. */
export const migrations: ReadonlyArray<(database: Database) => void> = [
  (database) => database.exec(makeVersion1),
  (database) => {
    database.exec(makeVersion2)
    moveFacts(database)
  }
]
