/**
 * Lists every setting of a node with its default and the reason for it, and reads them all: from
 * flags, then the environment, then the config file. Those of NATS have natscli's names.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { join } from "node:path"
import { invariant } from "../core/Invariant.ts"
import { presets } from "../core/model/Limits.ts"
import { ClusterName, NodeId } from "../core/model/Names.ts"
import { Member, Weight, Zone } from "../core/ring/Membership.ts"
import { defaultPartitionCount, isPartitionCount } from "../core/ring/Partition.ts"
import { brokerSettings, natsFaults } from "./BrokerSettings.ts"
import { edgeSettings, openEdge } from "./EdgeSettings.ts"
import { isLimitName, limitSettings, readPreset } from "./LimitSettings.ts"
import { telemetrySettings } from "./TelemetrySettings.ts"
import {
  integer,
  InvalidSetting,
  type JointFault,
  path,
  read,
  setting,
  type Source,
  Switch,
  together
} from "./Setting.ts"

/** A key of the cluster. */
const Key = Schema.RedactedFromValue(Schema.String.check(Schema.isMinLength(16)))

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
  form: setting({
    variable: "EVERWRITE_FORM",
    schema: Switch,
    expected: "true, on, false or off",
    otherwise: false,
    about: "Whether the cluster forms without the members that do not answer within 5 s of the "
      + "start. Their stores count as incomplete from then on, and strict reads may miss what only "
      + "they have. For the first start of a part of a cluster, or when a member is gone for good; "
      + "at one node, for one start."
  }),
  acceptLoss: setting({
    variable: "EVERWRITE_ACCEPT_LOSS",
    schema: Switch,
    expected: "true, on, false or off",
    otherwise: false,
    about: "Whether a node that lost its disk counts again where every other owner of some "
      + "documents has lost its own too: after each has sent all that it has, which may not be "
      + "all that was acknowledged. First start the others, on empty disks where need be; then at "
      + "one node, for one start."
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
    schema: Key,
    expected: "at least 16 characters, the same on every node",
    otherwise: undefined,
    about: "Seals the contexts that clients hold. Without it the key is derived from the "
      + "cluster's name, and anyone who knows it can forge one: for development on one machine "
      + "only.",
    secret: true
  }),
  clusterKeyPrevious: setting({
    variable: "EVERWRITE_CLUSTER_KEY_PREVIOUS",
    schema: Key,
    expected: "at least 16 characters, the same on every node",
    otherwise: undefined,
    about: "A second key that is accepted and seals nothing. To rotate the key without a pause, "
      + "start the nodes one by one with the new key here; then with the new one as "
      + "EVERWRITE_CLUSTER_KEY and the old one here; then, once clients' contexts are newer than "
      + "that, without it.",
    secret: true
  }),
  ...brokerSettings,
  httpHost: setting({
    variable: "EVERWRITE_HTTP_HOST",
    schema: Schema.NonEmptyString,
    expected: "a host name or address",
    otherwise: "127.0.0.1",
    about:
      "Address that HTTP listens on. Anything but loopback opens it to that network, and needs a "
      + "token (EVERWRITE_HTTP_TOKEN), or a proxy that asks for credentials (EVERWRITE_HTTP_AUTH)."
  }),
  http: setting({
    variable: "EVERWRITE_HTTP_PORT",
    schema: HttpPort,
    expected: "a port from 0 to 65535, or off (in a config file: false)",
    otherwise: 7420,
    about: "Port of HTTP; 0 takes a free one."
  }),
  ...edgeSettings,
  ...telemetrySettings,
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
  ...limitSettings
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

interface ReadSettings {
  readonly values: Values
  readonly origins: Readonly<Record<string, string>>
  /** Of the settings that do not fit, whose values here are the usual ones. */
  readonly faults: ReadonlyArray<InvalidSetting>
}

const readEach = Effect.fnUntraced(function*(
  sources: ReadonlyArray<Source>
): Effect.fn.Return<ReadSettings> {
  const preset = yield* Effect.result(readPreset(sources))
  const limits = presets[Result.getOrElse(preset, () => settings.preset.otherwise)].node
  const values: { [name: string]: unknown } = {}
  const origins: { [name: string]: string } = {}
  const faults: Array<InvalidSetting> = []
  for (const name of settingNames) {
    const otherwise = isLimitName(name) ? limits[name] : settings[name].otherwise
    const given = yield* Effect.result(read(name, { ...settings[name], otherwise }, sources))
    if (Result.isFailure(given)) faults.push(given.failure)
    values[name] = Result.isSuccess(given) ? given.success.value : otherwise
    origins[name] = Result.isSuccess(given) ? given.success.origin : given.failure.origin
  }
  invariant(isComplete(values), "each setting was read")
  return { values, origins, faults }
})

/** Fails with all faults at once. */
const failing = ([first, ...others]: ReadonlyArray<InvalidSetting>) =>
  first === undefined ? Effect.void : Effect.fail(together([first, ...others]))

/** Without those that follow from another fault, which would send their reader the wrong way. */
const following = (
  { faults }: ReadSettings,
  joint: ReadonlyArray<JointFault>
): ReadonlyArray<InvalidSetting> => {
  const wrong = new Set(faults.map(({ setting }) => setting))
  return joint.filter(({ causes }) => !causes.some((name) => wrong.has(name)))
    .map(({ fault }) => fault)
}

/**
 * Reads each setting. Of several sources the first that has one wins; where none has one, limits
 * are those of the preset.
 */
export const readAll = Effect.fnUntraced(function*(sources: ReadonlyArray<Source>) {
  const { faults, origins, values } = yield* readEach(sources)
  yield* failing(faults)
  return { values, origins }
})

/** The settings of a command, which connects to the brokers and is no node. */
export const readForCommand = Effect.fnUntraced(function*(sources: ReadonlyArray<Source>) {
  const given = yield* readEach(sources)
  const { origins, values } = given
  yield* failing([...given.faults, ...following(given, natsFaults(values, origins))])
  return values
})

/** The settings of a node; fails with all that is wrong in them. */
export const resolve = Effect.fnUntraced(function*(
  sources: ReadonlyArray<Source>,
  /** Faults of the settings together with something else that was given. */
  others: (given: Pick<Values, "nats">) => ReadonlyArray<JointFault> = () => []
) {
  const given = yield* readEach(sources)
  const { origins, values } = given
  const members = values.members ?? [{ id: values.node ?? firstNode, weight: 1 }]
  const node = values.node ?? (members.length === 1 ? members[0].id : undefined)
  const joint = [
    ...memberFaults(given, { members, node }),
    ...openEdge(values),
    ...natsFaults(values, origins),
    ...others(values)
  ]
  yield* failing([...given.faults, ...following(given, joint)])
  invariant(node !== undefined, "a node that no member is was refused")
  const dataDir = values.dataDir ?? join(".everwrite", values.cluster, node)
  const resolved: Settings = { ...values, members, node, dataDir }
  return resolved
})

const firstNode = NodeId.make("n1")

/** Settings have to fit each other. */
const memberFaults = (
  { origins }: ReadSettings,
  { members, node }: Pick<Settings, "members"> & { readonly node: NodeId | undefined }
): ReadonlyArray<JointFault> => {
  const ids = members.map(({ id }) => id)
  const causes = ["members", "node"]
  const faults: Array<JointFault> = []
  if (new Set(ids).size < ids.length) {
    const fault = { setting: "members", value: ids.join(), origin: origins["members"]! }
    faults.push({ causes, fault: new InvalidSetting({ ...fault, expected: "every node once" }) })
  }
  if (node === undefined || !ids.includes(node)) {
    const expected = `one of the members ${ids.join(", ")}`
    const value = node === undefined ? {} : { value: node }
    const fault = { setting: "node", origin: origins["node"]!, expected, ...value }
    faults.push({ causes, fault: new InvalidSetting(fault) })
  }
  return faults
}
