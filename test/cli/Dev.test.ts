/** `everwrite dev`: ready in time, ports that are named when taken, an end that keeps the data. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, expect, it } from "vitest"
import { sampleBuckets } from "../../src/node/SampleBuckets.ts"
import { until } from "../tooling/until.ts"
import { run, script, start, startDev, startOnTerminal, version } from "./everwrite.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "everwrite-dev-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

it("prints its nodes, and when they are ready", async () => {
  const dev = start(["dev", "--port", "0"], { cwd: folder })
  const ready = () => dev.stdout().includes("ready in") || dev.child.exitCode !== null
  await until("dev is ready", ready, { withinMillis: 30_000 })
  dev.child.kill("SIGINT")
  const { code, stderr, stdout } = await dev.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  expect(stdout.startsWith(`everwrite ${version}   cluster dev   Node 2`)).toBe(true)
  expect(stdout).toMatch(/^ {2}nodes {4}n1 n2 n3 {3}in this process$/mu)
  expect(stdout).toMatch(
    /^ {2}NATS {5}nats:\/\/127\.0\.0\.1:\d+ {3}in this process, loopback only$/mu
  )
  expect(stdout).toMatch(/^ {2}HTTP {5}(http:\/\/127\.0\.0\.1:\d+ {2}){3} \/docs \/metrics$/mu)
  expect(stdout).toMatch(/^ {2}data {5}\.everwrite\/dev$/mu)
  for (const { name } of sampleBuckets) expect(stdout).toMatch(new RegExp(` ${name} +[a-z]`, "u"))
  expect(stdout).toMatch(/\nready in \d+\.\d s\n$/u)
})

it.each(["SIGINT", "SIGTERM"] as const)("%s ends it with 0, and the data is there again", async (
  signal
) => {
  const first = await startDev(folder)
  await run(["put", "scratch", "k", "1", "--url", first.nodes[2]!.http])
  expect(await first.stop(signal)).toMatchObject({ code: 0, stderr: "" })
  for (const node of ["n1", "n2", "n3"]) {
    expect(existsSync(join(folder, ".everwrite", "dev", node, "store.sqlite"))).toBe(true)
  }
  const second = await startDev(folder)
  expect((await run(["get", "scratch", "k", "--url", second.nats])).stdout).toBe("1\n")
  expect((await second.stop()).code).toBe(0)
})

it("a port that is taken is named, with exit code 3", async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const ended = await run(["dev", "--port", String(port)], { cwd: folder })
  server.close()
  expect(ended).toEqual({
    code: 3,
    stdout: "",
    stderr: `no HTTP on 127.0.0.1:${port}: the port is taken\n`
  })
})

it("a folder that another cluster uses is named, with exit code 3", async () => {
  const dev = await startDev(folder)
  const { code, stderr } = await run(["dev", "--port", "0"], { cwd: folder })
  expect(code).toBe(3)
  expect(stderr).toMatch(/^no storage at .*\.everwrite\/dev\/n\d: another process, or another /)
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

it.skipIf(!existsSync(script))(
  "on a terminal, keys kill a node, cut one off, heal, and end it",
  async () => {
    const dev = startOnTerminal(["dev", "--port", "0"], { cwd: folder })
    const says = (text: string) => until(text, () => dev.stdout().includes(text))
    await says("k kill a node   p partition   h heal   q quit")
    dev.child.stdin.write("k")
    await says("n2 is back on the same data after ")
    dev.child.stdin.write("p")
    await says("n3 is cut off from the others")
    dev.child.stdin.write("h")
    await says("all nodes reach each other")
    dev.child.stdin.write("q")
    expect(await dev.ended).toMatchObject({ code: 0 })
  }
)

it("a wrong setting is named, with exit code 1", async () => {
  const env = { EVERWRITE_REQUESTS_MAX: "many" }
  expect(await run(["dev"], { cwd: folder, env })).toEqual({
    code: 1,
    stdout: "",
    stderr:
      "requestsMax is many (from EVERWRITE_REQUESTS_MAX); expected a count from 1 to 1000000\n"
  })
})
