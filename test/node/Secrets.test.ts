// Checks that no place which names an address tells the password in it, however it is written.
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { HttpBackend } from "../../src/client/HttpBackend.ts"
import { HttpUnavailable } from "../../src/http/Server.ts"
import { loadConfig } from "../../src/node/ConfigFile.ts"
import { openBackend } from "../../src/node/RemoteBackend.ts"
import { fromEnvironment, fromObject } from "../../src/node/Setting.ts"
import { resolve } from "../../src/node/Settings.ts"
import { clientOptions, serverAddresses } from "../../src/transport/NatsOptions.ts"
import { oddAddress } from "../core/model/oddAddresses.ts"
import { liveRuntime } from "../tooling/runtimes.ts"

/** All that an error says: to people, to programs, and in a log. */
const told = (error: unknown): string =>
  `${String(error)} ${JSON.stringify(error)} ${Cause.pretty(Cause.fail(error))}`

const failureOf = async (effect: Effect.Effect<unknown, unknown>): Promise<string> =>
  told(await Effect.runPromise(Effect.flip(effect)))

/** Fails as the engine does, whose errors quote the address. */
const refusing: typeof globalThis.fetch = (target) => {
  const quoted = typeof target === "string" ? target : "another form"
  return Promise.reject(new TypeError(`no request can be made of ${quoted}`))
}

/** What is said where this address is tried. */
const places: Readonly<Record<string, (address: string) => Promise<string>>> = {
  "the addresses of brokers": async (address) =>
    serverAddresses({ servers: address }) + serverAddresses({ servers: ["a", address] }),
  "a connection that cannot be made": (address) =>
    clientOptions({ servers: address }).then(() => "", told),
  "a setting that is no text": async (address) => {
    const errors = ["nats", "httpHost", "members", "http"].map((name) =>
      failureOf(resolve([fromObject({ [name]: [address] }, "the test")]))
    )
    return (await Promise.all(errors)).join(" ")
  },
  "a variable that does not fit": async (address) => {
    const names = ["CLUSTER", "NODE", "HTTP_PORT", "HTTP_HOSTS", "LOG_LEVEL", "SKEW_MILLIS"]
    const errors = names.map((name) =>
      failureOf(resolve([fromEnvironment({ [`EVERWRITE_${name}`]: `${address}!` })]))
    )
    return (await Promise.all(errors)).join(" ")
  },
  "an address of HTTP that others can reach": async (address) => {
    const open = { httpHost: address, clusterKey: "sixteen letters." }
    const host = failureOf(resolve([fromObject(open, "the test")]))
    const token = { ...open, clusterKey: undefined, httpAuth: "proxy" }
    return await host + await failureOf(resolve([fromObject(token, "the test")]))
  },
  "HTTP that cannot be served": async (address) =>
    told(new HttpUnavailable({ host: address, port: 7420, reason: "no such address" }).message),
  "a way to a cluster": (address) => {
    const opened = openBackend({ url: `x${address}`, cluster: undefined, environment: {} })
    return failureOf(Effect.scoped(opened))
  },
  "a node that does not answer": (address) => {
    const backend = new HttpBackend({ runtime: liveRuntime, url: address, fetch: refusing })
    return new Promise((answer) => backend.describe((outcome) => answer(told(outcome))))
  }
}

describe.each(Object.entries(places))("no password is told by %s", (_, tell) => {
  it("for any address", async () => {
    await fc.assert(
      fc.asyncProperty(oddAddress, async ({ address, secret }) => {
        expect(await tell(address)).not.toContain(secret)
      }),
      { numRuns: 200 }
    )
  })
})

it("a user in an address of HTTP is refused, with the setting that HTTP has for it", async () => {
  const url = "http://svc:s3cret@127.0.0.1:1"
  const failure = failureOf(
    Effect.scoped(openBackend({ url, cluster: undefined, environment: {} }))
  )
  expect(await failure).toMatch(/EVERWRITE_HTTP_TOKEN/u)
  expect(await failure).not.toContain("s3cret")
})

it("a broker's address with a path is refused, since it is a piece of a password", async () => {
  await expect(clientOptions({ servers: "nats://svc:12/s3cret@h" })).rejects.toThrow("%2F")
})

it.each([
  ["everwrite.config.json", `{"clusterKey":"s3cret s3cret s3cret" s3cret}`],
  ["everwrite.config.json", `{"clusterKey": s3cret}`],
  ["everwrite.config.json", `{"clusterKey":"s3cret`],
  ["everwrite.config.mjs", `export default { clusterKey: "s3cret s3cret s3cret" s3cret }`]
])("a %s that cannot be read is told without its text", async (name, text) => {
  const folder = mkdtempSync(join(tmpdir(), "everwrite-config-"))
  try {
    writeFileSync(join(folder, name), text)
    const failure = await failureOf(loadConfig(join(folder, name)))
    expect(failure).toContain(name)
    expect(failure).not.toContain("s3cret")
  } finally {
    rmSync(folder, { recursive: true })
  }
})
