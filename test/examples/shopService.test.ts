/**
 * Runs two instances of the shop service of `examples/` on three nodes and a real nats-server, and
 * kills one of the nodes while customers shop.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node"
import { afterAll, beforeAll, expect, it } from "vitest"
import { buckets } from "../../examples/shop-service/buckets.ts"
import { NodeProcesses } from "../cluster/nodeProcesses.ts"
import { describeWithNats, type NatsServer, startNatsServer } from "../tooling/natsServer.ts"
import { until } from "../tooling/until.ts"
import { type ShellProgram, start } from "./programs.ts"

const line = "npx node --conditions=everwrite-source examples/shop-service/main.ts"
const members = ["n1", "n2", "n3"]
const customers = Array.from({ length: 8 }, (_, i) => `customer ${i}`)
const rounds = 12

interface Reply {
  readonly instance: string
  readonly value?: any
  readonly error?: string
  readonly again?: boolean
}

describeWithNats("the shop service", () => {
  let nats: NatsServer
  let nodes: NodeProcesses
  let shopper: NatsConnection
  let instances: ReadonlyArray<ShellProgram> = []
  const answeredBy = new Set<string>()

  const ask = async (name: string, request: object): Promise<Reply> => {
    const message = await shopper.request(`shop.cart.${name}`, JSON.stringify(request), {
      timeout: 20_000
    })
    const reply: Reply = message.json()
    answeredBy.add(reply.instance)
    return reply
  }

  /** The value of an answer; an answer without one fails the test. */
  const valueOf = async (name: string, request: object): Promise<any> => {
    const reply = await ask(name, request)
    expect(reply).not.toHaveProperty("error")
    return reply.value
  }

  beforeAll(async () => {
    nats = await startNatsServer()
    // The service waits for nodes that start after it.
    instances = ["a", "b"].map((instance) =>
      start(line, { env: { NATS_URL: nats.url, INSTANCE: instance } })
    )
    const definitions = Object.values(buckets).map(({ definition }) => definition)
    nodes = new NodeProcesses({ nats, cluster: "shop", members, buckets: definitions })
    await Promise.all(members.map((node) => nodes.start(node)))
    await until("the cluster has formed", async () => {
      const formed = members.map(async (node) => {
        const described: any = await (await nodes.request(node, "/v1/cluster")).json()
        return described.formation.formed
      })
      return (await Promise.all(formed)).every(Boolean)
    }, { withinMillis: 60_000 })
    for (const instance of instances) await instance.prints(/answers shop\.cart/)
    shopper = await connect({ servers: nats.url })
  }, 240_000)
  afterAll(async () => {
    await shopper?.close()
    await Promise.all(instances.map((instance) => instance.interrupt()))
    await nodes?.stop()
    await nats?.stop()
  })

  it("keeps every addition, profile and visit, though a node is killed meanwhile", async () => {
    let killed: Promise<void> | undefined
    const shop = async (customer: string, index: number) => {
      for (let round = 0; round < rounds; round++) {
        if (index === 0 && round === 4) killed = nodes.kill("n2")
        const item = round % 2 === 0 ? "tea" : "coffee"
        await valueOf("add", { customer, item, pieces: 1, addition: `${round}` })
        await valueOf("profile", { customer, profile: { name: `${customer} ${round}` } })
        await valueOf("show", { customer })
      }
    }
    await Promise.all(customers.map(shop))
    await killed
    const additions = (first: number) =>
      Object.fromEntries(Array.from({ length: rounds / 2 }, (_, i) => [`${first + 2 * i}`, 1]))
    let visits = 0
    for (const customer of customers) {
      const page = await valueOf("show", { customer })
      expect(page).toMatchObject({
        cart: { tea: additions(0), coffee: additions(1) },
        profile: { name: `${customer} ${rounds - 1}` }
      })
      // No visit is lost; one that was under way to the node when it died may count twice.
      expect(page.visits).toBeGreaterThanOrEqual(rounds + 1)
      visits += page.visits
    }
    expect(visits).toBeLessThanOrEqual(customers.length * (rounds + 2))
    expect([...answeredBy].sort()).toEqual(["a", "b"])
  }, 120_000)

  it("keeps what two instances add to one cart at the same time", async () => {
    const pieces = Array.from({ length: 40 }, (_, i) => `${i}`)
    await Promise.all(
      pieces.map((addition) =>
        valueOf("add", { customer: "both", item: "tea", pieces: 1, addition })
      )
    )
    const { cart } = await valueOf("show", { customer: "both" })
    expect(Object.keys(cart.tea)).toHaveLength(pieces.length)
    expect(await valueOf("remove", { customer: "both", item: "tea" })).toEqual({})
  }, 60_000)

  it("says of a request that it cannot take whether it may be asked for again", async () => {
    const reply = await ask("add", { customer: "", item: "tea", pieces: 1, addition: "1" })
    expect(reply).toMatchObject({ error: expect.stringContaining("customer"), again: false })
    expect(await ask("sell", {})).toMatchObject({ error: "there is no sell", again: false })
  })
})
