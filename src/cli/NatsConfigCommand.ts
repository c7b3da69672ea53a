/**
 * Prints the configuration of a nats-server for a cluster: `everwrite nats-config`. Passwords are
 * never arguments, which other users of a machine can read: they are variables of the server's
 * environment, or drawn here.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import { BucketName, ClusterName, NodeId } from "../core/model/Names.ts"
import { publicAddress } from "../core/model/PublicAddress.ts"
import { isOperationName } from "../core/model/OperationName.ts"
import { natsConfig, type NatsUser, passwordVariable } from "../node/NatsConfig.ts"
import { fromError, Misuse } from "./Failure.ts"
import * as Output from "./Output.ts"

/** Bytes of a drawn password: more than can be guessed. */
const passwordBytes = 24

const isName = Schema.is(NodeId)
const isBucketName = Schema.is(BucketName)

const misuse = (problem: string): Effect.Effect<never, Misuse> =>
  Effect.fail(new Misuse({ problem }))

const named = (text: string): Effect.Effect<NodeId, Misuse> =>
  isName(text) ? Effect.succeed(text) : misuse(`${text} is no name: 1 to 64 of a-z, 0-9, _ and -`)

const bucketOf = (text: string): Effect.Effect<BucketName, Misuse> =>
  isBucketName(text) ? Effect.succeed(text) : misuse(`${text} is no name of a bucket`)

/** The name in `name=list`, and the list, empty where there is none. */
const parts = Effect.fnUntraced(function*(text: string) {
  const [name = "", list, ...more] = text.split("=")
  if (more.length > 0) return yield* misuse(`${text} has more than one =`)
  return { name: yield* named(name), list: list === undefined ? [] : list.split(",") }
})

type Unsealed = Omit<NatsUser, "password">

const node = Effect.fnUntraced(function*(text: string): Effect.fn.Return<Unsealed, Misuse> {
  const name = yield* named(text)
  return { name, right: { _tag: "Node", node: name } }
})

const withBuckets = (_tag: "Reader" | "Writer") =>
  Effect.fnUntraced(function*(text: string): Effect.fn.Return<Unsealed, Misuse> {
    const { list, name } = yield* parts(text)
    return { name, right: { _tag, buckets: yield* Effect.forEach(list, bucketOf) } }
  })

const operationOf = Effect.fnUntraced(function*(text: string) {
  const dot = text.indexOf(".")
  const operation = text.slice(dot + 1)
  if (dot === -1 || !isOperationName(operation)) {
    return yield* misuse(`${text} is no operation: expected bucket.operation`)
  }
  if (operation === "edit") {
    return yield* misuse(`${text} carries any operation: make its user a writer of the bucket`)
  }
  return { bucket: yield* bucketOf(text.slice(0, dot)), operation }
})

const withOperations = Effect.fnUntraced(
  function*(text: string): Effect.fn.Return<Unsealed, Misuse> {
    const { list, name } = yield* parts(text)
    if (list.length === 0) return yield* misuse(`${text} names no operation`)
    return {
      name,
      right: { _tag: "Operations", operations: yield* Effect.forEach(list, operationOf) }
    }
  }
)

const observer = Effect.fnUntraced(function*(text: string): Effect.fn.Return<Unsealed, Misuse> {
  return { name: yield* named(text), right: { _tag: "Observer" } }
})

/** Two users of one name, or of one variable, would be one. */
const distinct = Effect.fnUntraced(function*(users: ReadonlyArray<Unsealed>) {
  const seen = new Map<string, string>()
  for (const { name } of users) {
    const variable = passwordVariable(name)
    const other = seen.get(variable)
    if (other === name) return yield* misuse(`${name} is given twice`)
    if (other !== undefined) {
      return yield* misuse(`${other} and ${name} would share the password in ${variable}`)
    }
    seen.set(variable, name)
  }
})

interface Flags {
  readonly cluster: string
  readonly nodes: string
  readonly reader: ReadonlyArray<string>
  readonly writer: ReadonlyArray<string>
  readonly operations: ReadonlyArray<string>
  readonly observer: ReadonlyArray<string>
  readonly host: string
  readonly port: number
  readonly generate: boolean
}

const isClusterName = Schema.is(ClusterName)
const isHost = (text: string): boolean => /^[A-Za-z0-9.:-]+$/u.test(text)

const run = Effect.fnUntraced(function*(flags: Flags) {
  const { cluster, host, port } = flags
  if (!isClusterName(cluster)) return yield* misuse(`${cluster} is no name of a cluster`)
  if (!isHost(host)) return yield* misuse(`${publicAddress(host)} is no host name or address`)
  const users = [
    ...yield* Effect.forEach(flags.nodes.split(","), node),
    ...yield* Effect.forEach(flags.reader, withBuckets("Reader")),
    ...yield* Effect.forEach(flags.writer, withBuckets("Writer")),
    ...yield* Effect.forEach(flags.operations, withOperations),
    ...yield* Effect.forEach(flags.observer, observer)
  ]
  yield* distinct(users)
  const password = () =>
    flags.generate ? randomBytes(passwordBytes).toString("base64url") : undefined
  const sealed = users.map((user) => ({ ...user, password: password() }))
  yield* Output.line(natsConfig({ cluster, host, port, users: sealed }).trimEnd())
})

const repeated = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.atLeast(0), Flag.withDescription(description))

export const natsConfigCommand = Command.make(
  "nats-config",
  {
    cluster: Flag.String("cluster").pipe(
      Flag.withDefault("dev"),
      Flag.withDescription("the cluster's name; else dev")
    ),
    nodes: Flag.String("nodes").pipe(Flag.withDescription("its nodes: n1,n2,n3")),
    reader: repeated("reader", "a user who reads: NAME, or NAME=BUCKET,... for these alone"),
    writer: repeated("writer", "a user who reads and writes: NAME, or NAME=BUCKET,..."),
    operations: repeated(
      "operations",
      "a user for these operations alone: NAME=BUCKET.OPERATION,..."
    ),
    observer: repeated("observer", "a user for `nats micro`: NAME"),
    host: Flag.String("host").pipe(
      Flag.withDefault("127.0.0.1"),
      Flag.withDescription("address that the server listens on; else 127.0.0.1")
    ),
    port: Flag.Int("port").pipe(
      Flag.filter((port) => port >= 1 && port <= 65_535, () => "expected 1 to 65535"),
      Flag.withDefault(4222),
      Flag.withDescription("port that it listens on; else 4222")
    ),
    generate: Flag.Boolean("generate").pipe(
      Flag.withDefault(false),
      Flag.withDescription("draw the passwords, instead of variables NATS_PASSWORD_<USER>")
    )
  },
  (flags) => run(flags).pipe(Effect.mapError((error) => fromError(error, { json: false })))
).pipe(
  Command.withDescription("Print a nats-server configuration with the cluster's permissions"),
  Command.withExamples([
    {
      command: "everwrite nats-config --nodes n1,n2,n3 --writer shop=carts --generate"
    }
  ])
)
