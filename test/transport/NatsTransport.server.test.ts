// Checks the NATS transport against behaviour that only a real nats-server has: freeze, refuse,
// encrypt.
import { nkeys } from "@nats-io/transport-node"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { ClusterName, NodeId } from "../../src/core/model/Names.ts"
import type { NatsOptions } from "../../src/transport/NatsOptions.ts"
import { connectNats, type NatsTransport } from "../../src/transport/NatsTransport.ts"
import { Subjects } from "../../src/transport/Subjects.ts"
import { describeWithNats, type NatsServer, startNatsServer } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"

let server: NatsServer
let transports: Array<NatsTransport>
let warnings: Array<string>
beforeEach(() => {
  transports = []
  warnings = []
})
const stopAll = async (): Promise<void> => {
  server.thaw()
  await Promise.all(transports.map((transport) => transport.close()))
  await server.stop()
}

const warn = (text: string) => void warnings.push(text)
const warned = (pattern: RegExp): number => warnings.filter((text) => pattern.test(text)).length

const connect = async (options: Partial<NatsOptions> = {}): Promise<NatsTransport> => {
  const transport = await connectNats({ servers: server.url, ...options }, warn)
  transports.push(transport)
  return transport
}

const flush = (transport: NatsTransport): Promise<boolean> =>
  new Promise((resolve) => transport.flush(resolve))

const sockets = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length

describeWithNats("a frozen nats-server", () => {
  beforeEach(async () => {
    server = await startNatsServer()
  })
  afterEach(stopAll)

  const megabyte = 1024 * 1024
  const impatient = { pingIntervalMillis: 150, connectTimeoutMillis: 300 }

  it("holds up no more than the limit, is noticed, and is used again when it thaws", async () => {
    // More than the kernel buffers, so that the last bytes cannot be written before it thaws.
    const transport = await connect({ ...impatient, waitingBytesMax: 32 * megabyte })
    await server.freeze()
    for (let i = 0; i < 64; i++) transport.publish("everwrite.s", new Uint8Array(megabyte))
    const { droppedMessages, sentBytes } = transport.stats()
    expect(sentBytes).toBeLessThanOrEqual(33 * megabyte)
    expect(droppedMessages).toBe(64 - sentBytes / megabyte)
    await until("it is noticed", () => !transport.connected(), { withinMillis: 3_000 })
    server.thaw()
    await until("it is used again", () => transport.connected(), { withinMillis: 2_000 })
    transport.publish("s", new Uint8Array(megabyte))
    expect(await flush(transport)).toBe(true)
    expect(transport.stats()).toMatchObject({ droppedMessages, sentBytes: sentBytes + megabyte })
  })

  it("is left for another server of the list, with any bytes waiting for it", async () => {
    const other = await startNatsServer()
    const servers = [server.url, other.url]
    const transport = await connect({ ...impatient, servers, waitingBytesMax: 32 * megabyte })
    const [frozen, next] = transport.address() === server.url ? [server, other] : [other, server]
    await frozen.freeze()
    for (let i = 0; i < 32; i++) transport.publish("everwrite.s", new Uint8Array(megabyte))
    await until("the other server is used", () => transport.address() === next.url)
    expect(await flush(transport)).toBe(true)
    await other.stop()
  })

  it("fails a flush at its deadline", async () => {
    const transport = await connect({ pingIntervalMillis: 60_000, flushTimeoutMillis: 100 })
    await server.freeze()
    const start = performance.now()
    expect(await flush(transport)).toBe(false)
    expect(performance.now() - start).toBeGreaterThan(95)
  })

  it("cannot hold up closing: neither a connection nor an attempt at one outlives it", async () => {
    await until("earlier sockets are closed", () => sockets() === 0)
    const draining = await connect({ pingIntervalMillis: 60_000, drainTimeoutMillis: 100 })
    const dialing = await connect(impatient)
    await server.freeze()
    draining.publish("s", new Uint8Array(megabyte))
    await draining.close()
    await until("it is noticed", () => !dialing.connected())
    await until("it is dialing", () => sockets() > 0)
    await dialing.close()
    await until("no socket is left", () => sockets() === 0, { withinMillis: 200 })
  })

  it("fails a first connection in time", async () => {
    await server.freeze()
    await expect(connect({ connectTimeoutMillis: 100 })).rejects.toThrow("no answer in time")
  })
})

describeWithNats("a nats-server that asks who is there", () => {
  afterEach(stopAll)

  const nkey = nkeys.createUser()
  const seed = new TextDecoder().decode(nkey.getSeed())

  it.each<readonly [string, string, Partial<NatsOptions>]>([
    ["user and password", "user: n1, password: s3cret", { user: "n1", password: "s3cret" }],
    ["a token", "token: t0ken", { token: "t0ken" }],
    ["an nkey", `users: [{ nkey: ${nkey.getPublicKey()} }]`, { nkeySeed: seed }]
  ])("lets in a client that has %s, and no other", async (_, authorization, options) => {
    server = await startNatsServer(`authorization { ${authorization} }`)
    expect(await flush(await connect(options))).toBe(true)
    for (const wrong of [{}, { user: "n1", password: "wrong" }, { token: "wrong" }]) {
      await expect(connect(wrong)).rejects.toThrow(/: Authorization Violation/iu)
    }
  })

  it("takes user, password and token from the address too", async () => {
    server = await startNatsServer("authorization { user: n1, password: \"p@ss\" }")
    const withUser = server.url.replace("://", "://n1:p%40ss@")
    const transport = await connect({ servers: withUser })
    expect(transport.address()).toBe(server.url)
    await server.stop()
    await server.start("authorization { token: t0ken }")
    await connect({ servers: server.url.replace("://", "://t0ken@") })
  })

  it("is tried again while it refuses, until it does not", async () => {
    server = await startNatsServer("authorization { token: t0ken }")
    const transport = await connect({ token: "t0ken" })
    await server.stop()
    await server.start("authorization { token: other }")
    await until("it was refused a few times", () => warned(/authorization/iu) >= 3)
    expect(transport.connected()).toBe(false)
    await server.stop()
    await server.start()
    await until("it is back", () => transport.connected(), { withinMillis: 2_000 })
  })

  it("holds each node to its own name by the subjects", async () => {
    const subjects = new Subjects(ClusterName.make("prod"))
    const [n1, n2, n3] = [NodeId.make("n1"), NodeId.make("n2"), NodeId.make("n3")]
    const user = (node: NodeId) =>
      `{ user: ${node}, password: x, permissions: {
      publish: { allow: ["${subjects.peer({ to: n2, from: node }).replace(".n2.", ".*.")}",
        "${subjects.gossip(node)}"] }
      subscribe: { allow: ["${subjects.peersTo(node)}", "${subjects.gossips()}"] } } }`
    const users = [n1, n2, n3].map(user).join(",\n")
    server = await startNatsServer(`accounts { CLUSTER { users = [${users}] } }`)
    const [one, two, three] = [
      await connect({ user: n1, password: "x" }),
      await connect({ user: n2, password: "x" }),
      await connect({ user: n3, password: "x" })
    ]
    const received: Array<string> = []
    const note = ({ subject }: { readonly subject: string }) => void received.push(subject)
    two.subscribe(subjects.peersTo(n2), note)
    two.subscribe(subjects.gossips(), note)
    three.subscribe(subjects.peersTo(n2), note)
    await Promise.all([flush(two), flush(three)])
    one.publish(subjects.peer({ to: n2, from: n3 }), new Uint8Array(1))
    one.publish(subjects.gossip(n3), new Uint8Array(1))
    one.publish(subjects.peer({ to: n2, from: n1 }), new Uint8Array(1))
    one.publish(subjects.gossip(n1), new Uint8Array(1))
    await flush(one)
    await Promise.all([flush(two), flush(three)])
    expect(received).toEqual([subjects.peer({ to: n2, from: n1 }), subjects.gossip(n1)])
    expect(warned(/permissions violation/iu)).toBeGreaterThanOrEqual(3)
    expect([one.connected(), three.connected()]).toEqual([true, true])
  })
})

describeWithNats("a nats-server that asks for TLS on both sides", () => {
  let folder: string
  const file = (name: string): string => join(folder, name)
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "everwrite-tls-"))
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    const files = ["-keyout", file("key.pem"), "-out", file("cert.pem")]
    execFileSync("openssl", ["req", "-x509", "-days", "1", ...key, ...subject, ...files], {
      stdio: "ignore"
    })
    const [cert, ca] = [file("cert.pem"), file("cert.pem")]
    server = await startNatsServer(
      `tls { cert_file: "${cert}", key_file: "${file("key.pem")}", ca_file: "${ca}", verify: true }`
    )
  })
  afterEach(async () => {
    await stopAll()
    rmSync(folder, { recursive: true })
  })

  it("lets in a client that has the files, and no other", async () => {
    const servers = `tls://localhost:${server.port}`
    const tls = { cert: file("cert.pem"), key: file("key.pem"), ca: file("cert.pem") }
    expect(await flush(await connect({ servers, tls }))).toBe(true)
    for (const wrong of [{ ...tls, cert: file("none.pem") }, { ca: tls.ca }, undefined]) {
      await expect(connect({ servers, tls: wrong })).rejects.toThrow(`no NATS broker at ${servers}`)
    }
  })
})
