/**
 * Lists every setting of a node with its default and the reason for it, and reads them all: from
 * flags, then the environment, then the config file. Those of NATS have natscli's names.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { join } from "node:path"
import { invariant } from "../core/Invariant.ts"
import { ClusterName, NodeId } from "../core/model/Names.ts"
import { Member, Weight, Zone } from "../core/ring/Membership.ts"
import { defaultPartitionCount, isPartitionCount } from "../core/ring/Partition.ts"
import { defaultLimits } from "../storage/StorageOptions.ts"
import { integer, InvalidSetting, read, type Setting, type Source } from "./Setting.ts"

const setting = <S extends Schema.Codec<any, any>, const Otherwise extends S["Type"] | undefined>(
  setting: Setting<S, Otherwise>
): Setting<S, Otherwise> => setting

const path = (variable: string, about: string, flag?: string) =>
  setting({
    ...flag === undefined ? {} : { flag },
    variable,
    schema: Schema.NonEmptyString,
    expected: "a path",
    otherwise: undefined,
    about
  })

const secret = (variable: string, about: string) =>
  setting({
    variable,
    schema: Schema.RedactedFromValue(Schema.NonEmptyString),
    expected: "a text",
    otherwise: undefined,
    about,
    secret: true
  })

const millis = (variable: string, otherwise: number, about: string) =>
  setting({
    variable,
    schema: integer({ minimum: 1, maximum: 600_000 }),
    expected: "milliseconds from 1 to 600000",
    otherwise,
    about
  })

const bytes = (variable: string, otherwise: number, about: string) =>
  setting({
    variable,
    schema: integer({ minimum: 1_048_576, maximum: Number.MAX_SAFE_INTEGER }),
    expected: "bytes, at least 1048576",
    otherwise,
    about
  })

const nameExpected = "1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit"

const MemberInput = Schema.Union([
  Schema.String,
  Schema.Struct({
    id: Schema.String,
    weight: Schema.optionalKey(Weight),
    zone: Schema.optional(Zone)
  })
])
const member = (entry: typeof MemberInput.Type) =>
  typeof entry === "string" ? { id: entry.trim(), weight: 1 } : { weight: 1, ...entry }

const MembersInput = Schema.Union([Schema.String, Schema.Array(MemberInput)])

const Members = MembersInput.pipe(
  Schema.decodeTo(Schema.NonEmptyArray(Member), {
    decode: SchemaGetter.transform((input) => {
      const [first = "", ...others] = typeof input === "string" ? input.split(",") : input
      return [member(first), ...others.map(member)] as const
    }),
    encode: SchemaGetter.transform((members): typeof MembersInput.Type => members)
  })
)

const PartitionCount = integer({ minimum: 1, maximum: 65_536 }).check(
  Schema.makeFilter(isPartitionCount)
)

const Port = integer({ minimum: 0, maximum: 65_535 })

const HttpPort = Schema.Union([
  Port,
  Schema.Literal(false),
  Schema.Literal("off").pipe(Schema.decodeTo(Schema.Literal(false), {
    decode: SchemaGetter.transform(() => false as const),
    encode: SchemaGetter.transform(() => "off" as const)
  }))
])

export const logLevels = ["trace", "debug", "info", "warn", "error", "none"] as const
export const logFormats = ["pretty", "json", "logfmt"] as const

export const settings = {
  cluster: setting({
    variable: "EVERWRITE_CLUSTER",
    schema: ClusterName,
    expected: nameExpected,
    otherwise: ClusterName.make("dev"),
    about: "Name of the cluster. Part of every subject, so that clusters can share a broker."
  }),
  node: setting({
    variable: "EVERWRITE_NODE",
    schema: NodeId,
    expected: nameExpected,
    otherwise: undefined,
    about: "Which member this node is. By default n1, or the only member."
  }),
  members: setting({
    variable: "EVERWRITE_MEMBERS",
    schema: Members,
    expected: "n1,n2,n3, or in a config file also { id, weight, zone }",
    otherwise: undefined,
    about: "All nodes of the cluster, the same on each of them. By default this node alone."
  }),
  partitionCount: setting({
    variable: "EVERWRITE_PARTITION_COUNT",
    schema: PartitionCount,
    expected: "a power of two from 1 to 65536",
    otherwise: defaultPartitionCount,
    about:
      "Q, the parts of the hash space; fixed for the lifetime of a cluster. At least 10 for each "
      + "node it may grow to, or nodes cannot hold equal shares. Every membership change takes "
      + "time in proportion to Q times the members."
  }),
  dataDir: path(
    "EVERWRITE_DATA_DIR",
    "Folder of this node's data. By default .everwrite/<cluster>/<node>.",
    "data"
  ),
  clusterKey: setting({
    variable: "EVERWRITE_CLUSTER_KEY",
    schema: Schema.RedactedFromValue(Schema.String.check(Schema.isMinLength(16))),
    expected: "at least 16 characters, the same on every node",
    otherwise: undefined,
    about: "Seals the contexts that clients hold. Without it the key is derived from the "
      + "cluster's name, and anyone who knows it can forge one.",
    secret: true
  }),
  nats: setting({
    variable: "NATS_URL",
    schema: Schema.NonEmptyString,
    expected: "nats://host:port, several with commas between them, or embedded",
    otherwise: "nats://127.0.0.1:4222",
    about: "Where the brokers are; \"embedded\" starts one in this process, on loopback."
  }),
  natsCreds: path("NATS_CREDS", "A .creds file with the JWT and seed of this node's NATS user."),
  natsUser: setting({
    variable: "NATS_USER",
    schema: Schema.NonEmptyString,
    expected: "a user's name",
    otherwise: undefined,
    about: "This node's NATS user."
  }),
  natsPassword: secret("NATS_PASSWORD", "The password of NATS_USER."),
  natsToken: secret("NATS_TOKEN", "A NATS token, instead of a user."),
  natsNkey: secret("NATS_NKEY", "An nkey seed, or the path of a file with one."),
  natsCert: path("NATS_CERT", "PEM file with the client's TLS certificate."),
  natsKey: path("NATS_KEY", "PEM file with the key of NATS_CERT."),
  natsCa: path("NATS_CA", "PEM file with the authority that signed the brokers' certificates."),
  httpHost: setting({
    variable: "EVERWRITE_HTTP_HOST",
    schema: Schema.NonEmptyString,
    expected: "a host name or address",
    otherwise: "127.0.0.1",
    about: "Address that HTTP listens on. Anything but loopback opens the data to that network."
  }),
  http: setting({
    variable: "EVERWRITE_HTTP_PORT",
    schema: HttpPort,
    expected: "a port from 0 to 65535, or off (in a config file: false)",
    otherwise: 7420,
    about: "Port of HTTP; 0 takes a free one."
  }),
  logLevel: setting({
    variable: "EVERWRITE_LOG_LEVEL",
    schema: Schema.Literals(logLevels),
    expected: logLevels.join(", "),
    otherwise: "info",
    about: "Least level that is logged."
  }),
  logFormat: setting({
    variable: "EVERWRITE_LOG_FORMAT",
    schema: Schema.Literals(logFormats),
    expected: logFormats.join(", "),
    otherwise: undefined,
    about: "How logs look. By default pretty on a terminal, json elsewhere."
  }),
  skewMillis: millis(
    "EVERWRITE_SKEW_MILLIS",
    1_000,
    "How far this node's clock may be from the median of its peers' before their median stamps "
      + "its writes. More than NTP leaves plus the longest pause of a process; raising it lets "
      + "the last write win by that much of a wrong clock."
  ),
  readTimeoutMillis: millis(
    "EVERWRITE_READ_TIMEOUT_MILLIS",
    1_000,
    "How long a read waits for its quorum unless the request says. Raising it makes callers "
      + "wait as long for a node that is gone."
  ),
  writeTimeoutMillis: millis(
    "EVERWRITE_WRITE_TIMEOUT_MILLIS",
    2_000,
    "The same for writes, which also wait for disks."
  ),
  requestsMax: setting({
    variable: "EVERWRITE_REQUESTS_MAX",
    schema: integer({ minimum: 1, maximum: 1_000_000 }),
    expected: "a count from 1 to 1000000",
    otherwise: 10_000,
    about: "Requests under way; more are refused, to be retried elsewhere. Requests a second "
      + "times the seconds one may take: 5000 times the 2 of writeTimeoutMillis. Each holds its "
      + "document in memory."
  }),
  cacheBytesMax: bytes(
    "EVERWRITE_CACHE_BYTES_MAX",
    64 * 1024 * 1024,
    "Documents kept decoded, by their encoded size; decoded they take about four times that. "
      + "Hot documents times their size: raising it saves a read and a decoding for each request "
      + "that would miss."
  ),
  drainTimeoutMillis: millis(
    "EVERWRITE_DRAIN_TIMEOUT_MILLIS",
    10_000,
    "How long a stopping node lets requests under way finish. At least the longest timeout that "
      + "clients ask for, and less than the supervisor waits before it kills (30 s in Kubernetes)."
  ),
  storageBytesMax: bytes(
    "EVERWRITE_STORAGE_BYTES_MAX",
    defaultLimits.fileBytesMax,
    "The database file grows no further: writes are refused as on a full disk, reads go on."
  ),
  waitingBytesMax: bytes(
    "EVERWRITE_WAITING_BYTES_MAX",
    defaultLimits.waitingBytesMax,
    "Bytes of writes in memory that wait for the disk; beyond them writes are refused. Bytes "
      + "written a second times the seconds for which the disk may stall."
  )
}

type Table = typeof settings

export type SettingName = keyof Table

/** Settings as a config file or a program gives them. */
export type SettingsInput = { readonly [Name in SettingName]?: Table[Name]["schema"]["Encoded"] }

type Values = {
  readonly [Name in SettingName]: Table[Name]["schema"]["Type"] | Table[Name]["otherwise"]
}

export interface Settings extends Values {
  readonly members: readonly [Member, ...ReadonlyArray<Member>]
  readonly node: NodeId
  readonly dataDir: string
}

const isSettingName = (name: string): name is SettingName => Object.hasOwn(settings, name)

export const settingNames: ReadonlyArray<SettingName> = Object.keys(settings).filter(isSettingName)

/** Each was decoded by the schema that its type here is taken from. */
const isComplete = (values: object): values is Values =>
  settingNames.every((name) => name in values)

/** Reads each setting. Of several sources the first that has one wins. */
export const readAll = Effect.fnUntraced(function*(sources: ReadonlyArray<Source>) {
  const values: { [name: string]: unknown } = {}
  const origins: { [name: string]: string } = {}
  for (const name of settingNames) {
    const { origin, value } = yield* read(name, settings[name], sources)
    values[name] = value
    origins[name] = origin
  }
  invariant(isComplete(values), "each setting was read")
  return { values, origins }
})

/** The settings of a node. */
export const resolve = Effect.fnUntraced(function*(sources: ReadonlyArray<Source>) {
  const { origins, values } = yield* readAll(sources)
  return yield* complete(values, origins)
})

const firstNode = NodeId.make("n1")

/** Fills in what follows from other settings, and checks what several say together. */
const complete = (
  values: Values,
  origins: Readonly<Record<string, string>>
): Effect.Effect<Settings, InvalidSetting> => {
  const members = values.members ?? [{ id: values.node ?? firstNode, weight: 1 }]
  const ids = members.map(({ id }) => id)
  const node = values.node ?? (members.length === 1 ? members[0].id : undefined)
  if (new Set(ids).size < ids.length) {
    const fault = { setting: "members", value: ids.join(), origin: origins["members"]! }
    return Effect.fail(new InvalidSetting({ ...fault, expected: "every node once" }))
  }
  if (node === undefined || !ids.includes(node)) {
    const expected = `one of the members ${ids.join(", ")}`
    const fault = { setting: "node", origin: origins["node"]!, expected }
    const value = node === undefined ? {} : { value: node }
    return Effect.fail(new InvalidSetting({ ...fault, ...value }))
  }
  const dataDir = values.dataDir ?? join(".everwrite", values.cluster, node)
  return Effect.succeed({ ...values, members, node, dataDir })
}
