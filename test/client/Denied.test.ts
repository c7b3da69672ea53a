// Checks that a client which the broker denies something is told so at once, and by which right.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest"
import { NatsBackend } from "../../src/client/NatsBackend.ts"
import { type Db, makeDb } from "../../src/client/Promises.ts"
import * as Task from "../../src/client/Task.ts"
import { BucketName, NodeId } from "../../src/core/model/Names.ts"
import { anonymous } from "../../src/core/model/Principal.ts"
import { natsConfig, type NatsUser } from "../../src/node/NatsConfig.ts"
import { inboxPrefixOf, type NatsRight } from "../../src/transport/NatsPermissions.ts"
import { connectNats } from "../../src/transport/NatsTransport.ts"
import { profiles, shelves } from "../cluster/buckets.ts"
import { type NatsCluster, natsClusterName, startNatsCluster } from "../cluster/natsCluster.ts"
import { run } from "../cli/everwrite.ts"
import { describeWithNats, type NatsServer, startNatsServer } from "../tooling/natsServer.ts"
import { liveRuntime } from "../tooling/runtimes.ts"
import { until } from "../tooling/until.ts"

const bucket = (name: string) => BucketName.make(name)
const user = (name: string, right: NatsRight): NatsUser => ({ name, right, password: `of ${name}` })
const users: ReadonlyArray<NatsUser> = [
  ...["n1", "n2", "n3"].map((id) => user(id, { _tag: "Node", node: NodeId.make(id) })),
  user("reader", { _tag: "Reader", buckets: [] }),
  user("writer", { _tag: "Writer", buckets: [bucket("profiles")] }),
  user("adder", {
    _tag: "Operations",
    operations: [{ bucket: bucket("shelves"), operation: "books.add" }]
  })
]

const config = (changed: ReadonlyArray<NatsUser> = users): string =>
  natsConfig({ cluster: natsClusterName, host: "::1", port: 1, users: changed })
    .replaceAll(/^(?:host|port): .*$/gmu, "")

const options = (name: string) => ({
  user: name,
  password: `of ${name}`,
  inboxPrefix: inboxPrefixOf(name)
})

/** How a promise fails, and after how many milliseconds. */
const failure = async (promise: Promise<unknown>) => {
  const start = performance.now()
  const error: any = await promise.then(() => undefined, (thrown: unknown) => thrown)
  return { error, millis: performance.now() - start }
}

const env = (name: string, password = `of ${name}`) => ({
  EVERWRITE_CLUSTER: natsClusterName,
  NATS_USER: name,
  NATS_PASSWORD: password,
  NATS_INBOX_PREFIX: inboxPrefixOf(name)
})

const buckets = { profiles, shelves }

describeWithNats("a client with a user of the broker", () => {
  let server: NatsServer
  let cluster: NatsCluster
  let opened: Array<() => Promise<void>>
  beforeAll(async () => {
    server = await startNatsServer(config())
    cluster = await startNatsCluster({
      servers: server.url,
      buckets: [profiles, shelves],
      storage: "direct",
      connection: options
    })
  })
  beforeEach(() => {
    opened = []
  })
  afterEach(async () => {
    for (const close of opened) await close()
  })
  afterAll(async () => {
    await cluster.stop()
    await server.stop()
  })

  const backendOf = async (name: string, more = {}): Promise<NatsBackend> => {
    const connection = { servers: server.url, ...options(name), ...more }
    const transport = await connectNats(connection, () => undefined)
    const backend = new NatsBackend({ runtime: liveRuntime, transport, cluster: natsClusterName })
    opened.push(async () => {
      backend.close()
      await transport.close()
    })
    return backend
  }

  const dbOf = async (name: string): Promise<Db<typeof buckets>> => {
    const backend = await backendOf(name)
    await Task.toPromise(backend.ready)
    return makeDb(buckets, backend, async () => undefined)
  }

  /** Below any time after which a client gives up, or sends again. */
  const atOnce = 500

  const expectDenied = async (promise: Promise<unknown>, subject: RegExp): Promise<void> => {
    const { error, millis } = await failure(promise)
    expect(error).toMatchObject({ _tag: "AccessDenied", right: "publish", mayHaveApplied: false })
    expect(error.subject).toMatch(subject)
    expect(error.message).toContain(`does not let this user publish to ${error.subject}`)
    expect(millis).toBeLessThan(atOnce)
  }

  it("is told at once that it may not write, or not carry out this operation", async () => {
    const reader = await dbOf("reader")
    await expectDenied(reader.profiles.put("k", { name: "x" }), /\.write\.profiles\.put$/u)
    await expectDenied(reader.shelves.books.add("k", "Emma"), /\.write\.shelves\.books\.add$/u)
    const adder = await dbOf("adder")
    await adder.shelves.books.add("k", "Emma")
    await expectDenied(adder.profiles.put("k", { name: "x" }), /\.write\.profiles\.put$/u)
    const edit = adder.shelves.edit("k", (shelf) => [
      shelf.books.add("Emma"),
      shelf.visits.add(1)
    ])
    await expectDenied(edit, /\.write\.shelves\.edit$/u)
    await expectDenied(adder.profiles.get("k"), /\.read\.profiles\.get$/u)
    expect(await reader.profiles.get("k")).toBeUndefined()
  })

  it("is told so for each of many requests under way, and others go on", async () => {
    const writer = await dbOf("writer")
    const puts = Array.from({ length: 50 }, (_, i) => writer.profiles.put(`n${i}`, { name: "x" }))
    const adds = Array.from({ length: 50 }, (_, i) => writer.shelves.books.add(`s${i}`, "Emma"))
    await Promise.all(adds.map((add) => expectDenied(add, /\.write\.shelves\.books\.add$/u)))
    await Promise.all(puts)
  })

  it("is told at once that it may not list or explain", async () => {
    const backend = await backendOf("adder")
    const outcomes: Array<any> = []
    const start = performance.now()
    const principal = anonymous
    backend.list({ bucket: bucket("profiles"), principal }, (told) => outcomes.push(told))
    backend.explain(
      { bucket: bucket("profiles"), key: "k", principal },
      (told) => outcomes.push(told)
    )
    await until("both are refused", () => outcomes.length === 2)
    expect(performance.now() - start).toBeLessThan(atOnce)
    for (const operation of ["list", "explain"]) {
      expect(outcomes).toContainEqual(expect.objectContaining({
        _tag: "AccessDenied",
        subject: `everwrite.test.v1.read.profiles.${operation}`
      }))
    }
  })

  it("is told as it connects that it may not hear answers", async () => {
    const backend = await backendOf("writer", { inboxPrefix: "_INBOX.reader" })
    const { error, millis } = await failure(Task.toPromise(backend.ready))
    expect(error).toMatchObject({ _tag: "AccessDenied", right: "subscribe" })
    expect(error.subject).toMatch(/^_INBOX\.reader\..*\.\*$/u)
    expect(millis).toBeLessThan(atOnce)
    const unheard = makeDb(buckets, backend, async () => undefined)
    const later = await failure(unheard.profiles.put("k", { name: "x" }))
    expect(later.error).toMatchObject({ right: "subscribe", mayHaveApplied: false })
    expect(later.millis).toBeLessThan(atOnce)
  })

  it("is told of a write sent before that was known that it may have applied", async () => {
    const backend = await backendOf("writer", { inboxPrefix: "_INBOX.reader" })
    const unheard = makeDb(buckets, backend, async () => undefined)
    const { error, millis } = await failure(
      unheard.profiles.put("k", { name: "x" }, { id: "named" })
    )
    expect(error).toMatchObject({ _tag: "AccessDenied", right: "subscribe", mayHaveApplied: true })
    expect(millis).toBeLessThan(atOnce)
  })

  it("cannot connect with a wrong password, and is told so", async () => {
    const { error } = await failure(backendOf("writer", { password: "wrong" }))
    expect(error).toMatchObject({ _tag: "TransportUnavailable", isDenied: true })
    expect(error.message).toMatch(/refuses this user: .*authorization violation/iu)
  })

  it("at a command line gets exit code 1 and the subject, or that it is not let in", async () => {
    const url = ["--url", server.url]
    const put = await run(["do", "profiles", "k", "put", "{\"name\":\"x\"}", ...url], {
      env: env("reader")
    })
    expect(put).toMatchObject({ code: 1, stdout: "" })
    expect(put.stderr).toMatch(/not let this user publish to \S+\.write\.profiles\.put\n$/u)
    const json = await run(["get", "profiles", "k", "--json", ...url], { env: env("adder") })
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stderr).error).toMatchObject({
      _tag: "AccessDenied",
      right: "publish",
      mayHaveApplied: false
    })
    const out = await run(["get", "profiles", "k", ...url], { env: env("reader", "wrong") })
    expect(out).toMatchObject({ code: 1, stdout: "" })
    expect(out.stderr).toMatch(/refuses this user/u)
    const deaf = { ...env("reader"), NATS_INBOX_PREFIX: "_INBOX" }
    const unheard = await run(["ls", ...url], { env: deaf })
    expect(unheard.code).toBe(1)
    expect(unheard.stderr).toMatch(/not let this user subscribe to _INBOX\.\S+: set the inbox/u)
  })
})
