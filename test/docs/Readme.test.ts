/**
 * Does what the README says, as it says it: every command and every piece of code is taken from
 * its text, with no more changed than ports and folders.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { root, run, type ShellProgram, start } from "../examples/programs.ts"
import { describeWithNats, freePort, startNatsServer } from "../tooling/natsServer.ts"
import { commandsOf, filesOf, pathsOf } from "./markdown.ts"

const readme = readFileSync(join(root, "README.md"), "utf8")
const manifest: {
  readonly engines: { readonly node: string }
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
} = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

const untried = new Set(commandsOf(readme))

/** The one command of the README that has this in it. */
const command = (part: string): string => {
  const [found, ...others] = commandsOf(readme).filter((line) => line.includes(part))
  if (found === undefined || others.length > 0) {
    throw new Error(`the README has not one command with ${part}, but ${1 + others.length}`)
  }
  untried.delete(found)
  return found
}

const folder = mkdtempSync(join(tmpdir(), "everwrite-docs-"))
/** `mine` of the README: a folder of this clone that git does not see. */
const mine = join(root, ".everwrite", `docs-${process.pid}`)
const inMine = (line: string): string => line.replaceAll("mine/", `${relative(root, mine)}/`)

beforeAll(() => {
  mkdirSync(mine, { recursive: true })
  for (const { name, text } of filesOf(readme)) writeFileSync(join(mine, name), text)
})
afterAll(() => {
  rmSync(mine, { recursive: true })
  rmSync(folder, { recursive: true })
})

describe("five minutes", () => {
  const startAll = command("npm ci && npm start")
  const put = command("put scratch hello")
  const get = command("get scratch hello")
  const add = command("do carts alice")
  const explain = command("explain carts alice")
  const curl = command("curl -X PUT")
  const usual = "http://127.0.0.1:7420"
  let cluster: ShellProgram
  let url = ""

  beforeAll(async () => {
    // This clone is installed already: npm only has to find that nothing is missing.
    const installed = startAll.replace("npm ci", "npm ci --dry-run --offline")
    cluster = start(`${installed} -- --port 0 --data ${join(folder, "dev")}`)
    await cluster.prints(/ready in/)
    url = (await cluster.prints(/HTTP +(\S+)/))[1] ?? ""
  }, 150_000)
  afterAll(() => cluster.interrupt())

  /** A command of the README, against this cluster. */
  const output = async (line: string): Promise<string> => {
    const ended = await run(line.replace(usual, url), { env: { EVERWRITE_URL: url } })
    expect(ended.code, ended.stderr).toBe(0)
    return ended.stdout
  }

  it("npm start prints the nodes, their addresses and the sample buckets", async () => {
    expect(cluster.stdout()).toMatch(/^ +nodes +n1 n2 n3 /m)
    expect(cluster.stdout()).toMatch(/^ +NATS +nats:\/\/127\.0\.0\.1:\d+ /m)
    expect(cluster.stdout()).toMatch(/^ +HTTP +(http:\/\/127\.0\.0\.1:\d+ +n\d.*\n +){3}/m)
    for (const bucket of ["carts", "visits", "notes", "scratch"]) {
      expect(cluster.stdout()).toMatch(new RegExp(`^ +(buckets +)?${bucket} `, "m"))
    }
  })

  it("put, get and do print the document", async () => {
    expect(await output(put)).toBe("\"world\"\n")
    expect(await output(get)).toBe("\"world\"\n")
    expect(await output(add)).toBe("{\"coupon\":null,\"lines\":{\"apple\":2}}\n")
  })

  it("explain shows the three replicas of the document that do wrote", async () => {
    const explained = await output(explain)
    expect(explained).toMatch(/^partition \d+ -> n\d n\d n\d /)
    expect(explained.match(/^n\d +found .*"apple":2/gm)?.length).toBeGreaterThanOrEqual(2)
  })

  it("curl puts the same as the command does", async () => {
    expect(await output(curl)).toBe("\"world\"\n")
  })
})

describe("three buckets and a client", () => {
  const startMine = command("everwrite -- dev --config mine/")
  const runClient = command("mine/client.ts")

  it("they compile as they stand", async () => {
    const files = filesOf(readme).map(({ name }) => name)
    expect(files).toEqual(["buckets.ts", "client.ts", "everwrite.config.ts", "simulation.ts"])
    const config = { extends: join(root, "tsconfig.json"), include: [], files }
    writeFileSync(join(mine, "tsconfig.json"), JSON.stringify(config))
    expect(await run(`npx tsc -p ${mine}`)).toMatchObject({ code: 0, stdout: "" })
  })

  it("an editor reads them, in the folder that the README names, as the clone's own", () => {
    const { include } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"))
    expect(include).toContain("mine")
    expect(readFileSync(join(root, ".gitignore"), "utf8").split("\n")).toContain("/mine/")
  })

  it("the client runs against the cluster, which merges for others too", async () => {
    const cluster = start(`${inMine(startMine)} --port 0 --data ${join(folder, "mine")}`)
    try {
      const [, nats = ""] = await cluster.prints(/NATS +(\S+)/)
      await cluster.prints(/ready in/)
      const client = inMine(runClient).replace(/NATS_URL=\S+/, `NATS_URL=${nats}`)
      expect(await run(client)).toMatchObject({ code: 0, stdout: "2 undefined\n" })
      const get = "npm run -s everwrite -- get"
      const env = { EVERWRITE_URL: nats }
      expect((await run(`${get} wishes ada`, { env })).stdout).toBe("[\"a difference engine\"]\n")
      const profile = await run(`${get} profiles '{"tenant":"acme","id":"ada"}'`, { env })
      expect(profile.stdout).toBe("{\"name\":\"Ada\",\"theme\":\"dark\"}\n")
    } finally {
      await cluster.interrupt()
    }
  }, 300_000)
})

const laws = `import * as Effect from "effect/Effect"
import { checkBucket } from "everwrite/testing"
import { Wishes } from "./buckets.ts"
const { laws } = await Effect.runPromise(checkBucket(Wishes))
console.log(laws.filter(({ law }) => law.startsWith("merge is")).length)
`

describe("your merge, under faults", () => {
  const simulation = command("mine/simulation.ts")

  it("the merge that stands here keeps the laws", async () => {
    writeFileSync(join(mine, "laws.ts"), laws)
    const program = simulation.replace("simulation.ts", "laws.ts")
    expect(await run(inMine(program))).toMatchObject({ code: 0, stdout: "5\n" })
  })

  it("the simulation passes, and counts the clients' operations", async () => {
    const { code, stdout } = await run(inMine(simulation))
    expect(stdout).toMatch(/\{ acknowledged: \d{4}, refused: \d+, unknown: \d+ \}\n$/)
    expect(code).toBe(0)
  }, 300_000)
})

describe("the three strategies in numbers", () => {
  const replay = command("examples/shopping-carts.ts")

  it("a file of baskets is replayed to three buckets", async () => {
    const baskets = join(folder, "groceries.csv")
    const sample = readFileSync(join(root, "examples/shopping-carts/sample.csv"), "utf8")
    writeFileSync(baskets, sample.split("\n").slice(0, 9).join("\n"))
    const { code, stderr, stdout } = await run(replay.replace("groceries.csv", baskets))
    expect(stdout).toMatch(/^9 customers, three nodes, /)
    expect(stdout).toMatch(/^bucket +acknowledged +kept +lost +resurrected +invented /m)
    expect(code, stderr).toBe(0)
  }, 300_000)
})

describeWithNats("from one laptop to several machines", () => {
  const startOne = command("everwrite start --node n1")
  const commands = join(folder, "commands")
  const nodes: Array<ShellProgram> = []

  beforeAll(() => {
    mkdirSync(commands)
    const main = join(root, "src/cli/main.ts")
    const installed = join(commands, "everwrite")
    writeFileSync(
      installed,
      `#!/bin/sh\nexec ${process.execPath} --conditions=everwrite-source ${main} "$@"\n`
    )
    chmodSync(installed, 0o755)
  })
  afterAll(() => Promise.all(nodes.map((node) => node.interrupt())))

  it("a node on each machine makes one cluster, over a real nats-server", async () => {
    const server = await startNatsServer()
    try {
      const ports = await Promise.all(["n1", "n2", "n3"].map(() => freePort()))
      for (const [index, port] of ports.entries()) {
        const line = startOne
          .replace("--node n1", `--node n${index + 1}`)
          .replace("nats://broker:4222", server.url)
          .replace("/var/lib/everwrite", join(folder, `n${index + 1}`))
          .replace("everwrite.config.ts", join(mine, "everwrite.config.ts"))
          .replace("--http 7420", `--http ${port}`)
        const env = { EVERWRITE_CLUSTER_KEY: "one secret on all" }
        nodes.push(start(`exec ${line}`, { commands: [commands], env }))
      }
      for (const node of nodes) await node.prints(/ready/)
      const ask = async (line: string, port: number | undefined) =>
        (await run(`everwrite ${line} --url http://127.0.0.1:${port}`, {
          commands: [commands]
        })).stdout
      expect(await ask("put wishes ada '[\"tea\"]' --w all", ports[0])).toBe("[\"tea\"]\n")
      for (const port of ports) {
        expect(await ask("get wishes ada --r one", port)).toBe("[\"tea\"]\n")
      }
      for (const node of nodes) expect(await node.interrupt()).toMatchObject({ code: 0 })
    } finally {
      await server.stop()
    }
  }, 300_000)
})

describeWithNats("speed", () => {
  const bench = command("npm run bench")
  const profile = command("npm run profile")

  it(
    "npm run bench prints what the nodes do beside a peer and a floor, with its promise",
    async () => {
      const loads = "put,get,hot,increment,set-10"
      const short = `--loads ${loads} --in-flight 1 --rounds 1 --seconds 0.2 --out ${folder}`
      const { code, stdout } = await run(`${bench} --programs everwrite,pipeline,sqlite ${short}`)
      expect(stdout).toMatch(/^\d+ cores, Node /m)
      expect(stdout).toMatch(/^pipeline +synced on two nodes of three/m)
      for (const program of ["everwrite", "pipeline", "sqlite"]) {
        expect(stdout).toMatch(new RegExp(`^put +${program} +1 +\\d+`, "m"))
        expect(stdout).toMatch(new RegExp(`^get +${program} +1 +\\d+`, "m"))
      }
      for (const row of ["put", "put to 16 keys", "increment", "add to a set of 10"]) {
        const line = new RegExp(`^${row} +everwrite .* (\\d+) +(\\d+)$`, "m").exec(stdout)
        const [, wire, disk] = line ?? []
        expect(Number(wire), row).toBeGreaterThan(200)
        expect(Number(disk), row).toBeGreaterThan(200)
      }
      expect(stdout).toMatch(/^pipeline has no operation for: increment$/m)
      expect(readFileSync(join(folder, "bench.svg"), "utf8")).toMatch(/^<svg /)
      expect(code).toBe(0)
    },
    300_000
  )

  it("npm run profile prints what each room takes of a put and of a get", async () => {
    const { code, stdout } = await run(`${profile} -- --operations 300`)
    for (const kind of ["put", "get"]) {
      expect(stdout).toMatch(new RegExp(`^${kind}: microseconds of CPU`, "m"))
      expect(stdout).toMatch(new RegExp(`^${kind}: bytes allocated`, "m"))
    }
    expect(stdout).toMatch(/^src\/coordinator +\d/m)
    expect(code).toBe(0)
  }, 300_000)
})

describe("the configuration of nats-server", () => {
  const print = command("nats-config")

  it("has a user for each node, reader, writer and holder of one operation", async () => {
    const { code, stdout } = await run(print)
    expect(code).toBe(0)
    for (const user of ["n1", "n2", "n3", "dashboard", "shop", "tally"]) {
      expect(stdout).toMatch(new RegExp(`user: "?${user}"?\\b`, "u"))
    }
    expect(stdout).toContain("write_deadline")
  }, 60_000)
})

describe("from outside", () => {
  const completions = command("--completions bash")
  const simulate = command("npm run simulate")

  it("the command line prints completions for a shell", async () => {
    const { code, stdout } = await run(completions.replace("everwrite", "npm run -s everwrite --"))
    expect(stdout).toMatch(/complete .*everwrite/u)
    expect(code).toBe(0)
  }, 60_000)

  it("whole clusters are simulated", async () => {
    const { code, stdout } = await run(simulate.replace("100", "2"))
    expect(stdout).toContain("0 of 2 seeds failed")
    expect(code).toBe(0)
  }, 300_000)
})

describe("installing it", () => {
  const pack = command("npm pack")
  const install = command("npm install ./")

  it("npm packs the file that is installed with its peer", async () => {
    const { code, stdout } = await run(`${pack} --dry-run --ignore-scripts`)
    expect(code).toBe(0)
    const [, file = ""] = /(\S+\.tgz)\s*$/u.exec(stdout) ?? []
    expect(install).toContain(`./${file} `)
    const peers = Object.keys(manifest.peerDependencies).filter((name) => name !== "@types/node")
    expect(peers.filter((name) => !install.includes(name))).toEqual([])
  }, 60_000)
})

describe("the README", () => {
  const test = command("npm test")
  const install = command("apt-get install")
  // These name what is run above.
  for (const line of ["npm start", "everwrite dev"]) untried.delete(line)
  // `test/cli` runs these.
  for (const part of ["--nodes 5", "everwrite hints", "everwrite cluster status"]) command(part)

  it("names scripts that there are, and how nats-server is installed", () => {
    expect(manifest.scripts["test"]).toContain("test/tooling/vitest.config.ts")
    expect(test).toBe("npm test")
    expect(manifest.scripts["start"]).toMatch(/ dev$/)
    const tooling = readFileSync(join(root, "test/tooling/natsServer.ts"), "utf8")
    expect(tooling).toContain(install)
  })

  it("asks for the Node that the package asks for", () => {
    const needed = manifest.engines.node.replace(">=", "")
    expect(readme.replaceAll(/\s+/gu, " ")).toContain(`has only Node ${needed} or newer`)
  })

  it("names files and folders that there are", () => {
    expect(pathsOf(readme).filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it("gives a reason for each package that it depends on", () => {
    const packages = Object.keys({
      ...manifest.dependencies,
      ...manifest.peerDependencies,
      ...manifest.devDependencies
    })
    expect(packages.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
  })

  it("has no command that no test tries", () => {
    expect([...untried]).toEqual([])
  })
})
