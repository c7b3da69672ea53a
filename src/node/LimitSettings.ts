/**
 * Lists the settings of limits, and the preset that chooses all others. Their defaults are those of
 * the preset; their texts are the comments of `core/model/Limits.ts`, which a test compares.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { lan, type NodeLimits, presetNames, presets } from "../core/model/Limits.ts"
import { integer, read, setting, type Source } from "./Setting.ts"

const millis = (name: keyof NodeLimits, variable: string, about: string) =>
  setting({
    variable,
    schema: integer({ minimum: 1, maximum: 600_000 }),
    expected: "milliseconds from 1 to 600000",
    otherwise: lan.node[name],
    about
  })

const bytes = (name: keyof NodeLimits, variable: string, about: string) =>
  setting({
    variable,
    schema: integer({ minimum: 1_048_576, maximum: Number.MAX_SAFE_INTEGER }),
    expected: "bytes, at least 1048576",
    otherwise: lan.node[name],
    about
  })

export const limitSettings = {
  preset: setting({
    variable: "EVERWRITE_PRESET",
    schema: Schema.Literals(presetNames),
    expected: presetNames.join(", "),
    otherwise: "lan",
    about: "How far the nodes are from each other: on one machine, on one network, or round trips "
      + "of up to 300 ms. It chooses every limit; a single setting overrides its own, and the "
      + "defaults named here are those of lan."
  }),
  skewMillis: millis(
    "skewMillis",
    "EVERWRITE_SKEW_MILLIS",
    "How far this node's clock may be from the median of its peers' before their median stamps "
      + "its writes. More than NTP leaves plus the longest pause of a process; raising it lets "
      + "the last write win by that much of a wrong clock."
  ),
  readTimeoutMillis: millis(
    "readTimeoutMillis",
    "EVERWRITE_READ_TIMEOUT_MILLIS",
    "How long a read waits for its quorum unless the request says. Raising it makes callers "
      + "wait as long for a node that is gone."
  ),
  writeTimeoutMillis: millis(
    "writeTimeoutMillis",
    "EVERWRITE_WRITE_TIMEOUT_MILLIS",
    "The same for writes, which also wait for disks."
  ),
  requestsMax: setting({
    variable: "EVERWRITE_REQUESTS_MAX",
    schema: integer({ minimum: 1, maximum: 1_000_000 }),
    expected: "a count from 1 to 1000000",
    otherwise: lan.node.requestsMax,
    about: "Requests under way; more are refused, to be retried elsewhere. Requests a second "
      + "times the seconds one may take: 5000 times the 2 of writeTimeoutMillis. Each holds its "
      + "document in memory."
  }),
  cacheBytesMax: bytes(
    "cacheBytesMax",
    "EVERWRITE_CACHE_BYTES_MAX",
    "Bytes of memory for documents that are kept decoded. Hot documents times the memory of "
      + "each, 0.8 kB for a small one: raising it saves a read and a decoding for each that would "
      + "miss."
  ),
  lastIssuedDotsMax: setting({
    variable: "EVERWRITE_LAST_ISSUED_DOTS_MAX",
    schema: integer({ minimum: 0, maximum: 100_000_000 }),
    expected: "a count from 0 to 100000000",
    otherwise: lan.node.lastIssuedDotsMax,
    about: "Documents of which memory has the last dot made here, 24 bytes each: 100 MB in all. "
      + "Documents written between two starts: each beyond costs a read and a row more whenever "
      + "it is written."
  }),
  drainTimeoutMillis: millis(
    "drainTimeoutMillis",
    "EVERWRITE_DRAIN_TIMEOUT_MILLIS",
    "How long a stopping node lets requests under way finish. At least the longest timeout that "
      + "clients ask for, and less than the supervisor waits before it kills (30 s in Kubernetes)."
  ),
  storageBytesMax: bytes(
    "storageBytesMax",
    "EVERWRITE_STORAGE_BYTES_MAX",
    "The database file grows no further: writes are refused as on a full disk, reads go on."
  ),
  logBytesMax: bytes(
    "logBytesMax",
    "EVERWRITE_LOG_BYTES_MAX",
    "Bytes of each of the two logs of the storage. The rows that one holds stay in memory, until "
      + "they are folded into the tables; a start reads and folds them. More folds a document that "
      + "is written often less often, and lets commits go on for longer while a slow disk takes a "
      + "fold; it takes more memory, about four times as much in all, and a longer start."
  ),
  waitingBytesMax: bytes(
    "waitingBytesMax",
    "EVERWRITE_WAITING_BYTES_MAX",
    "Bytes of writes in memory that wait for the disk; beyond them writes are refused. Bytes "
      + "written a second times the seconds for which the disk may stall."
  ),
  exchangeMillis: setting({
    variable: "EVERWRITE_EXCHANGE_MILLIS",
    schema: integer({ minimum: 0, maximum: 3_600_000 }),
    expected: "milliseconds from 0 to 3600000",
    otherwise: lan.node.exchangeMillis,
    about: "How long after one exchange with another node the next one begins, on average; 0 for "
      + "none, and then no empty store is filled either. With k replicas of a document one that "
      + "lacks it is found within a few times this. Less costs up to 15 bytes for each partition "
      + "that two nodes share."
  }),
  backgroundTargetMillis: millis(
    "backgroundTargetMillis",
    "EVERWRITE_BACKGROUND_TARGET_MILLIS",
    "The 99th percentile of the time of clients' requests from which on work in the background "
      + "goes on at its slowest; up to half of it, at its whole rate. Less gives more to clients, "
      + "and leaves replicas different for longer."
  ),
  repairBytesPerSecond: setting({
    variable: "EVERWRITE_REPAIR_BYTES_PER_SECOND",
    schema: integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    expected: "bytes a second, at least 1",
    otherwise: lan.node.repairBytesPerSecond,
    about: "Bytes of documents that exchanges and the delivery of hints move in a second. More "
      + "fills a replica sooner, and takes as much from clients' requests: at 8 MiB some 30,000 "
      + "documents of 256 bytes."
  })
}

type Table = typeof limitSettings

type LimitName = Exclude<keyof Table, "preset">

/** The limits that have settings. */
export const limitNames = Struct.keys(limitSettings).filter((name) => name !== "preset")

export const isLimitName = (name: string): name is LimitName =>
  limitNames.some((limit) => limit === name)

const isPreset = Schema.is(limitSettings.preset.schema)

/** The preset that the first source names. */
export const readPreset = (sources: ReadonlyArray<Source>) => {
  const { preset } = limitSettings
  const named = read("preset", preset, sources)
  return Effect.map(named, ({ value }) => isPreset(value) ? value : preset.otherwise)
}

/** All limits of a node: those of its preset, but for the ones that have a setting. */
export const limitsOf = (
  settings: { readonly [Name in keyof Table]: Table[Name]["schema"]["Type"] }
): NodeLimits => ({
  ...presets[settings.preset].node,
  ...Struct.pick(settings, limitNames)
})
