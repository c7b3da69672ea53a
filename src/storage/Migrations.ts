/**
 * Lists the steps from each version of the file's format to the next.
 *
 * A document is a header row, whose path is empty, and a row for each element, side by side in one
 * clustered table: reading a document is one range, writing one element is one small row. All other
 * families share another table, where each one is a range in the order of its keys.
 *
 * The bytes of a large row lie in a table of their own, by number. In a clustered table they would
 * stand behind the key, and SQLite reads a row whole to compare its key with another one: a search
 * that passes a row of 1 MB would read 1 MB.
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

/**
 * Changes no row of a document, either: the bytes of a large one move when it is next written. A
 * content belongs to one row, and goes when that row is removed or gets another one.
 */
const makeVersion3 = `
  ALTER TABLE documents ADD COLUMN content INTEGER;
  CREATE TABLE contents (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  CREATE TRIGGER content_replaced AFTER UPDATE OF content ON documents
    WHEN old.content IS NOT NULL AND new.content IS NOT old.content
    BEGIN DELETE FROM contents WHERE id = old.content; END;
  CREATE TRIGGER content_removed AFTER DELETE ON documents WHEN old.content IS NOT NULL
    BEGIN DELETE FROM contents WHERE id = old.content; END;`

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
  },
  (database) => database.exec(makeVersion3),
  // A log stands beside the file since: earlier programs would not see what it holds.
  () => {}
]
