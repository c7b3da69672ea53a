/** `everwrite dev`: ready in time, ports that are named when taken, an end that keeps the data. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { sampleBuckets } from "../../src/node/SampleBuckets.ts"
import { freePort, startEmbedded } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"
import { run, script, start, startDev, startOnTerminal, version } from "./everwrite.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "everwrite-dev-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

const escape = "\u001b"

/** Until it is ready, and then ended. */
const printed = async (args: ReadonlyArray<string>) => {
  const dev = start(["dev", ...args], { cwd: folder })
  const ready = () => dev.stdout().includes("ready in") || dev.child.exitCode !== null
  await until("dev is ready", ready, { withinMillis: 30_000 })
  dev.child.kill("SIGINT")
  return dev.ended
}

/** Signals the processes that a process started, and those that they started. */
const signalAll = (parent: number, signal: NodeJS.Signals): void => {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").split(" ")
  for (const child of children.filter((pid) => pid !== "").map(Number)) {
    process.kill(child, signal)
    signalAll(child, signal)
  }
}

/** A port that is taken until the test lets it go; undefined where another program has it. */
const takePort = async (port: number) => {
  const server = createServer()
  const taken = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => resolve(true))
  })
  return { taken, release: () => new Promise((resolve) => server.close(resolve)) }
}

it("prints its nodes, and when they are ready", async () => {
  const { code, stderr, stdout } = await printed(["--port", "0", "--nats-port", "0"])
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  expect(stdout.startsWith(`everwrite ${version}   cluster dev   Node 2`)).toBe(true)
  expect(stdout).toMatch(/^ {2}nodes {4}n1 n2 n3 {3}in this process$/mu)
  expect(stdout).toMatch(
    /^ {2}NATS {5}nats:\/\/127\.0\.0\.1:\d+ {3}in this process, loopback only$/mu
  )
  expect(stdout).toMatch(
    /^ {2}HTTP {5}http:\/\/127\.0\.0\.1:\d+ {3}n1 {3}\(each has \/docs and \/metrics\)$/mu
  )
  for (const node of ["n2", "n3"]) {
    expect(stdout).toMatch(new RegExp(`^ {11}http://127\\.0\\.0\\.1:\\d+ {3}${node}$`, "mu"))
  }
  expect(stdout).toMatch(/^ {2}data {5}\.everwrite\/dev-samples$/mu)
  for (const { name } of sampleBuckets) expect(stdout).toMatch(new RegExp(` ${name} +[a-z]`, "u"))
  expect(stdout).toMatch(/\nready in \d+\.\d s\n$/u)
  expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([])
  expect(stdout).not.toContain(escape)
})

it("runs as many nodes as it is told to, of those that it can", async () => {
  const { code, stdout } = await printed(["--nodes", "5", "--port", "0", "--nats-port", "0"])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^ {2}nodes {4}n1 n2 n3 n4 n5 {3}in this process$/mu)
  const refused = await run(["dev", "--nodes", "2"], { cwd: folder })
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toContain("3 to 9")
})

it.each(["SIGINT", "SIGTERM"] as const)("%s ends it with 0, and the data is there again", async (
  signal
) => {
  const first = await startDev(folder)
  await run(["put", "scratch", "k", "1", "--url", first.nodes[2]!.http])
  expect(await first.stop(signal)).toMatchObject({ code: 0, stderr: "" })
  for (const node of ["n1", "n2", "n3"]) {
    expect(existsSync(join(folder, ".everwrite", "dev-samples", node, "store.sqlite"))).toBe(true)
  }
  const second = await startDev(folder)
  expect((await run(["get", "scratch", "k", "--url", second.nats])).stdout).toBe("1\n")
  expect((await second.stop()).code).toBe(0)
})

it("a port that is taken is named, with exit code 3", async () => {
  // All three nodes begin at once, and other programs may have the ports of the later two.
  const first = await freePort()
  const ports = [first, first + 1, first + 2]
  const held = await Promise.all(ports.map(takePort))
  const ended = await run(["dev", "--port", String(first), "--nats-port", "0"], { cwd: folder })
  for (const { release, taken } of held) if (taken) await release()
  expect(ended).toMatchObject({ code: 3, stdout: "" })
  const [, named] = /^no HTTP on 127\.0\.0\.1:(\d+): the port is taken\n$/u.exec(ended.stderr)
    ?? []
  expect(ports).toContain(Number(named))
})

it("a folder that another cluster uses is named, with exit code 3", async () => {
  const dev = await startDev(folder)
  const { code, stderr } = await run(["dev", "--port", "0", "--nats-port", "0"], { cwd: folder })
  expect(code).toBe(3)
  expect(stderr).toMatch(
    /^no storage at .*\.everwrite\/dev-samples\/n\d: another process, or another /
  )
  await dev.stop()
})

it("serves the project's own buckets where its folder has a config file", async () => {
  const [carts] = sampleBuckets
  const definition = { ...carts.definition, name: "baskets" }
  writeFileSync(
    join(folder, "everwrite.config.json"),
    JSON.stringify({ buckets: [definition], cluster: "mine" })
  )
  const dev = await startDev(folder)
  const args = ["do", "baskets", "b", "lines.add", "apple", "1", "--url", dev.nats]
  expect((await run([...args, "--cluster", "mine"])).stdout).toContain(`{"apple":1}`)
  expect((await run(["ls", "carts", "--url", dev.nodes[0]!.http])).code).toBe(1)
  await dev.stop()
})

it("serves the sample config, with its code and its keys of several fields", async () => {
  const config = fileURLToPath(new URL("../../examples/everwrite.config.ts", import.meta.url))
  const dev = await startDev(folder, ["--config", config])
  const ew = (...args: ReadonlyArray<string>) => run([...args, "--url", dev.nodes[1]!.http])
  const ada = `{"tenant":"acme","id":"ada"}`
  expect((await ew("put", "users", ada, `{"name":"Ada"}`)).stdout).toBe(`{"name":"Ada"}\n`)
  expect((await ew("ls", "users")).stdout).toBe(`${ada}\n`)
  expect(await ew("put", "users", ada, `{"name":""}`)).toMatchObject({ code: 1, stdout: "" })
  await ew("do", "notes", "n", "put", `{"plan":"tea"}`)
  await ew("do", "notes", "n", "put", `{"plan":"coffee","place":"here"}`)
  expect((await ew("get", "notes", "n")).stdout).toBe(`{"place":"here","plan":"coffee"}\n`)
  await dev.stop()
})

describe("the broker of dev", () => {
  it("has the port that clients of NATS look at first, and says so where it is taken", async () => {
    const { release, taken } = await takePort(4222)
    try {
      const { stdout } = await printed(["--port", "0"])
      expect(stdout).not.toContain("nats://127.0.0.1:4222 ")
      expect(stdout).toMatch(/^ {2}NATS {5}.*\n {11}another program has port 4222$/mu)
    } finally {
      if (taken) await release()
    }
    if (taken) {
      const { stdout } = await printed(["--port", "0"])
      expect(stdout).toMatch(/^ {2}NATS {5}nats:\/\/127\.0\.0\.1:4222 {3}in this process/mu)
    }
  })

  it("has the port that --nats-port says, and does not start where that is taken", async () => {
    const port = await freePort()
    const { stdout } = await printed(["--port", "0", "--nats-port", String(port)])
    expect(stdout).toContain(`nats://127.0.0.1:${port} `)
    const { release } = await takePort(port)
    const ended = await printed(["--port", "0", "--nats-port", String(port)])
    await release()
    expect(ended).toMatchObject({ code: 3, stdout: "" })
    expect(ended.stderr).toMatch(
      new RegExp(`^no broker on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`, "u")
    )
  })

  it("--nats-port is wrong use where NATS_URL names another broker", async () => {
    const env = { NATS_URL: "nats://127.0.0.1:1" }
    const ended = await run(["dev", "--nats-port", "5000"], { cwd: folder, env })
    expect(ended).toMatchObject({ code: 1, stdout: "" })
    expect(ended.stderr).toMatch(
      /^nats-port is \d+ .from --nats-port.; expected no port .* since NATS_URL/u
    )
  })
})

it.each([["--json"], []])("dev %s prints no credentials of NATS_URL", async (...args) => {
  const broker = await startEmbedded()
  const env = { NATS_URL: broker.url.replace("nats://", "nats://svc:s3cret@") }
  const dev = start(["dev", "--port", "0", ...args], { cwd: folder, env })
  const address = broker.url.replace("nats://", "")
  const printed = () => dev.stdout().includes(address) || dev.child.exitCode !== null
  await until("dev is ready", printed, { withinMillis: 30_000 })
  dev.child.kill("SIGINT")
  const { code, stderr, stdout } = await dev.ended
  await broker.stop()
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  expect(stdout).not.toContain("s3cret")
})

it("a project's first bucket finds no documents of the samples", async () => {
  const [carts] = sampleBuckets
  const samples = await startDev(folder)
  await run(["do", "carts", "a", "lines.add", "apple", "1", "--url", samples.nodes[0]!.http])
  await samples.stop()
  const config = join(folder, "everwrite.config.json")
  writeFileSync(config, JSON.stringify({ buckets: [carts.definition] }))
  const own = await startDev(folder, ["--config", config])
  expect((await run(["ls", "carts", "--url", own.nodes[0]!.http])).stdout).toBe("")
  await own.stop()
})

describe.skipIf(!existsSync(script))("on a terminal", () => {
  const ports = ["--port", "0", "--nats-port", "0"]

  it("keys stop a node, start it, cut one off, heal, tell what they do, and end dev", async () => {
    const dev = startOnTerminal(["dev", ...ports], { cwd: folder })
    const says = (text: string) =>
      until(text, () => dev.stdout().includes(text), { withinMillis: 30_000 })
    const press = (key: string) => void dev.child.stdin.write(key)
    await says("k kill a node   p partition   h heal   ? keys   q quit")
    press("k")
    await says("n2 is killed; k starts it again")
    await says("n2 stopped")
    press("k")
    await says("n2 is back on the same data after ")
    press("h")
    await says("no node is cut off")
    press("p")
    await says("n3 is cut off from the others: the figures show it within 3 s")
    await says("n3 0/2")
    press("p")
    await says("n3 is cut off already; h heals")
    press("h")
    await says("all nodes reach each other")
    press("?")
    await says("h  heal: let all nodes reach each other again")
    press("x")
    await says("x does nothing; ? shows the keys")
    press("\u001b[A")
    await says("that key does nothing; ? shows the keys")
    press("q")
    expect(await dev.ended).toMatchObject({ code: 0 })
  })

  it("a line tells the figures when they change, and none when they do not", async () => {
    const dev = startOnTerminal(["dev", ...ports], { cwd: folder, env: { NO_COLOR: "1" } })
    const says = (text: RegExp) =>
      until(String(text), () => text.test(dev.stdout()), { withinMillis: 30_000 })
    await says(/q quit/u)
    const [, url = ""] = /HTTP +(\S+)/u.exec(dev.stdout()) ?? []
    await run(["do", "notes", "n", "put", "\"a\"", "--url", url])
    await run(["do", "notes", "n", "put", "\"b\"", "--url", url])
    await says(/^requests 2   peers n1 2\/2, n2 2\/2, n3 2\/2   conflicts 1\r$/mu)
    await run(["get", "notes", "n", "--url", url])
    await says(/^requests 3   peers n1 2\/2, n2 2\/2, n3 2\/2   conflicts 2\r$/mu)
    expect(dev.stdout().match(/^requests 3 .*$/gmu)).toHaveLength(1)
    expect(dev.stdout()).not.toContain(escape)
    dev.child.stdin.write("q")
    await dev.ended
  })

  it("no node seems cut off after the process stood still", async () => {
    const dev = startOnTerminal(["dev", ...ports], { cwd: folder, env: { NO_COLOR: "1" } })
    const says = (text: RegExp) =>
      until(String(text), () => text.test(dev.stdout()), { withinMillis: 30_000 })
    await says(/q quit/u)
    const [, url = ""] = /HTTP +(\S+)/u.exec(dev.stdout()) ?? []
    signalAll(dev.child.pid!, "SIGSTOP")
    await sleep(3_000)
    signalAll(dev.child.pid!, "SIGCONT")
    // The terminal's program stops itself when its child does.
    dev.child.kill("SIGCONT")
    await run(["put", "scratch", "k", "1", "--url", url])
    await says(/^requests [1-9]/mu)
    expect(dev.stdout()).not.toContain("0/2")
    dev.child.stdin.write("q")
    await dev.ended
  })

  it("the banner is coloured, and not where NO_COLOR is set", async () => {
    const dev = startOnTerminal(["dev", ...ports], { cwd: folder, env: { TERM: "xterm" } })
    await until("it is ready", () => dev.stdout().includes("q quit"), { withinMillis: 30_000 })
    dev.child.stdin.write("q")
    expect((await dev.ended).stdout).toContain(`${escape}[1meverwrite ${version}`)
  })
})

it("a wrong setting is named, with exit code 1", async () => {
  const env = { EVERWRITE_REQUESTS_MAX: "many" }
  expect(await run(["dev"], { cwd: folder, env })).toEqual({
    code: 1,
    stdout: "",
    stderr:
      "requestsMax is many (from EVERWRITE_REQUESTS_MAX); expected a count from 1 to 1000000\n"
  })
})
