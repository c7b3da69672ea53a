/**
 * Prepares a node's file for writing; refuses one of another node or of a later version.
 */
import { type Database, inTransaction } from "./Database.ts"
import { migrations } from "./Migrations.ts"
import type { StorageIdentity } from "./StorageOptions.ts"
import { readChangeCount } from "./StoreCounts.ts"
import { beginEpoch, makeStoreRow, type OpenedStore } from "./StoreRow.ts"

/** "EvWr", which `file` and SQLite's tools show. */
const applicationId = 0x45765772

const pageBytes = 4096

/** The log shrinks back to this size. */
export const logBytesKept = 32 * 2 ** 20

/** The version of the format since which a file has an id. */
const firstWithStoreRow = 2

/**
 * - A random upsert writes one page to the log, and a row beyond a quarter of a page needs another:
 *   smaller pages are dearer for rows of 700 bytes, larger ones for rows of 256.
 * - FULL syncs the log before a commit returns. NORMAL does not, and a power cut then takes
 *   commits that were acknowledged.
 * - Commits wait while a checkpoint runs. Rare ones stall longer each time and cost less in all:
 *   a page that changed often is copied once. The log shrinks back to 32 MiB after a burst.
 * - The cache has the pages above the leaves, 5 MiB with a million documents. The system keeps the
 *   leaves, and a fold in key order comes to each once.
 */
const writerPragmas = `
  PRAGMA page_size = ${pageBytes};
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = ${logBytesKept};
  PRAGMA cache_size = -8192;`

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

export interface WriterOptions {
  readonly identity: StorageIdentity
  readonly fileBytesMax: number
  /** For a file that has no id yet, or has it no more. */
  readonly newStoreId: string
  /** Whether the store is known to have lost data: then it is not the one that it was. */
  readonly isLost?: boolean
}

const limitFile = (database: Database, fileBytesMax: number): void =>
  database.exec(`PRAGMA max_page_count = ${Math.floor(fileBytesMax / pageBytes)}`)

const migrate = (
  database: Database,
  { identity, newStoreId, version }: WriterOptions & { readonly version: number }
): void =>
  inTransaction(database, () => {
    for (const step of migrations.slice(version)) step(database)
    if (version === 0) {
      const { cluster, node, partitionCount } = identity
      database.prepare("INSERT INTO identity VALUES (?, ?, ?)").run(node, cluster, partitionCount)
    }
    if (version < firstWithStoreRow) makeStoreRow(database, newStoreId)
    database.exec(`PRAGMA application_id = ${applicationId}`)
    database.exec(`PRAGMA user_version = ${migrations.length}`)
  })

/** Prepares another connection to write a file that was prepared, in turn with the first one. */
export const prepareSecondWriter = (database: Database, fileBytesMax: number): void => {
  database.exec(sharedPragmas)
  database.exec(writerPragmas)
  limitFile(database, fileBytesMax)
}

/**
 * Makes this connection the writer of a new or existing file; throws where it cannot be. `recover`
 * brings the tables up to the log before the next epoch begins; whether the log has lost anything.
 */
export const prepareWriter = (
  database: Database,
  options: WriterOptions,
  recover: () => boolean = () => false
): OpenedStore => {
  database.exec(sharedPragmas)
  const version = formatVersion(database)
  if (version > 0) checkIdentity(database, options.identity)
  database.exec(writerPragmas)
  limitFile(database, options.fileBytesMax)
  if (database.location() !== null && durability(database) !== "journal_mode wal, synchronous 2") {
    throw new Error(`SQLite cannot sync its log here (${durability(database)})`)
  }
  if (version < migrations.length) migrate(database, { ...options, version })
  const isLost = recover() || options.isLost === true
  const changes = readChangeCount(database)
  return { ...beginEpoch(database, { ...options, isLost }), changes }
}
