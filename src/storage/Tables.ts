/**
 * Lays out a node's file, and refuses one that is another node's, or of a later version.
 *
 * A document is a header row, whose path is empty, and a row for each element, side by side in one
 * clustered table: reading a document is one range, writing one element is one small row.
 */
import type { Database } from "./Database.ts"
import type { StorageIdentity } from "./StorageOptions.ts"

/**
 * The steps from each format version to the next; `user_version` counts those taken. A published
 * step never changes: a new format is a new step at the end.
 */
const migrations: ReadonlyArray<string> = [
  `CREATE TABLE rows (
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
]

/** "EvWr", which `file` and SQLite's tools show. */
const applicationId = 0x45765772

const pageBytes = 4096

/**
 * - A random upsert writes one page to the log, and a row beyond a quarter of a page needs another:
 *   smaller pages are dearer for rows of 700 bytes, larger ones for rows of 256.
 * - FULL syncs the log before a commit returns. NORMAL does not, and a power cut then takes
 *   commits that were acknowledged.
 * - Commits wait while a checkpoint runs. Rare ones stall longer each time and cost less in all:
 *   a page that changed often is copied once. The log shrinks back to 32 MiB after a burst.
 */
const writerPragmas = `
  PRAGMA page_size = ${pageBytes};
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = ${32 * 2 ** 20};
  PRAGMA cache_size = -32768;`

/**
 * Of every connection: wait for a person's `sqlite3` shell, trust no function that the file's own
 * schema names, and check each page as it is read. No memory mapping: a bad sector would be a
 * SIGBUS instead of an error.
 */
export const sharedPragmas = `
  PRAGMA busy_timeout = 1000;
  PRAGMA trusted_schema = OFF;
  PRAGMA cell_size_check = ON;`

const pragma = (database: Database, name: string): unknown =>
  Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]

/** How commits of this connection reach the disk. */
export const durability = (database: Database): string =>
  `journal_mode ${String(pragma(database, "journal_mode"))}, synchronous ${
    String(pragma(database, "synchronous"))
  }`

const formatVersion = (database: Database): number => {
  const version = Number(pragma(database, "user_version"))
  const objects = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()
  if (objects?.["count"] !== 0 && pragma(database, "application_id") !== applicationId) {
    throw new Error("it is not a file of everwrite")
  }
  if (version > migrations.length) {
    throw new Error(
      `its format version ${version} is newer than ${migrations.length}, the newest this program`
        + " knows: run the program that wrote it, or a later one"
    )
  }
  return version
}

const describe = (it: StorageIdentity): string =>
  `node "${it.node}" of cluster "${it.cluster}" with ${it.partitionCount} partitions`

const checkIdentity = (database: Database, identity: StorageIdentity): void => {
  const row = database.prepare("SELECT node, cluster, partition_count FROM identity").get()
  if (row === undefined) throw new Error("it does not say whose it is")
  const owner = describe({
    node: String(row["node"]),
    cluster: String(row["cluster"]),
    partitionCount: Number(row["partition_count"])
  })
  if (owner !== describe(identity)) {
    throw new Error(`it belongs to ${owner}, not to ${describe(identity)}`)
  }
}

const migrate = (
  database: Database,
  options: { readonly identity: StorageIdentity; readonly version: number }
): void => {
  const { node, cluster, partitionCount } = options.identity
  database.exec("BEGIN IMMEDIATE")
  for (const step of migrations.slice(options.version)) database.exec(step)
  if (options.version === 0) {
    database.prepare("INSERT INTO identity VALUES (?, ?, ?)").run(node, cluster, partitionCount)
  }
  database.exec(`PRAGMA application_id = ${applicationId}`)
  database.exec(`PRAGMA user_version = ${migrations.length}`)
  database.exec("COMMIT")
}

/** Makes this connection the writer of a new or existing file; throws what is wrong with it. */
export const prepareWriter = (
  database: Database,
  options: { readonly identity: StorageIdentity; readonly fileBytesMax: number }
): void => {
  database.exec(sharedPragmas)
  const version = formatVersion(database)
  if (version > 0) checkIdentity(database, options.identity)
  database.exec(writerPragmas)
  database.exec(`PRAGMA max_page_count = ${Math.floor(options.fileBytesMax / pageBytes)}`)
  if (database.location() !== null && durability(database) !== "journal_mode wal, synchronous 2") {
    throw new Error(`SQLite cannot sync its log here (${durability(database)})`)
  }
  if (version < migrations.length) {
    migrate(database, { identity: options.identity, version })
  }
}
