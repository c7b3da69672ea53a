// Checks that an exception ends the one request, message or timer that it came up in: the client is
// told, nothing stays open, and the node goes on.
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { BucketName } from "../../src/core/model/Names.ts"
import { buckets, notes } from "../cluster/buckets.ts"
import { SteppedCluster } from "../cluster/steppedCluster.ts"

let stepped: SteppedCluster
let failures: Array<readonly [message: string, where: string]>
beforeEach(async () => {
  failures = []
  stepped = await SteppedCluster.start({
    nodes: 4,
    buckets,
    onFailure: (failure, where) => failures.push([String(failure), where])
  })
  stepped.write(1, notes, { key: "k", op: "put", args: ["v"], w: "all" })
})
afterEach(() => stepped.stop())

type Respond = (outcome: object) => void

/** The methods of a node's parts that take part in requests. */
const places = [
  ["replica", "read"],
  ["replica", "update"],
  ["replica", "join"],
  ["replica", "show"],
  ["replica", "trace"],
  ["replica", "writable"],
  ["replica", "scan"],
  ["view", "placement"],
  ["view", "agreedNow"],
  ["view", "members"]
] as const

/** Has a method of a node throw at one of its calls, and otherwise do as it did. */
const failAt = (
  node: number,
  { call, method, part }: {
    readonly part: "replica" | "view"
    readonly method: string
    readonly call: number
  }
): { readonly hasFailed: () => boolean; readonly undo: () => void } => {
  const target: Record<string, (...args: ReadonlyArray<unknown>) => unknown> = Object(
    stepped.nodes[node - 1]!.core[part]
  )
  const replaced = target[method]!
  const original = replaced.bind(target)
  let calls = 0
  target[method] = (...args) => {
    if (++calls === call) throw new Error("planted")
    return original(...args)
  }
  return { hasFailed: () => calls >= call, undo: () => target[method] = replaced }
}

const bucket = BucketName.make("notes")

const requests = {
  read: (at: number, respond: Respond) =>
    stepped.cluster.backends[at - 1]!.request(
      { action: "read", bucket, body: { key: "k" } },
      respond
    ),
  write: (at: number, respond: Respond) => {
    const calls = [{ name: "put", args: ["w"] }]
    const operationId = { session: "s", sequence: 1 }
    stepped.cluster.backends[at - 1]!.request(
      { action: "write", bucket, body: { key: "k", calls, operationId } },
      respond
    )
  },
  explain: (at: number, respond: Respond) =>
    stepped.cluster.backends[at - 1]!.explain({ bucket, key: "k" }, respond),
  list: (at: number, respond: Respond) =>
    stepped.cluster.backends[at - 1]!.list({ bucket }, respond)
}

const isIdle = (): boolean =>
  stepped.nodes.every(({ core: { coordinator } }) =>
    coordinator.underWay() === 0 && coordinator.counters().open === 0
  )

describe.each(["read", "write", "explain", "list"] as const)("an exception in a %s", (kind) => {
  it.each(places)("in %s.%s, at any call and node, costs that request at most", (part, method) => {
    for (let call = 1; call <= 3; call++) {
      for (let failing = 1; failing <= 4; failing++) {
        const { hasFailed, undo } = failAt(failing, { part, method, call })
        for (let at = 1; at <= 4; at += 3) {
          const outcomes: Array<object> = []
          requests[kind](at, (outcome) => outcomes.push(outcome))
          stepped.runtime.advance(20_000)
          expect(outcomes).toHaveLength(1)
          expect(isIdle()).toBe(true)
        }
        undo()
        if (hasFailed()) expect(failures.pop()).toEqual(["Error: planted", expect.any(String)])
      }
    }
    expect(failures).toEqual([])
    expect(stepped.read(1, notes, { key: "k" }).answer.values).not.toEqual([])
  })
})

describe("an exception at one request of a message over NATS", () => {
  it.each(["get", "list", "explain"] as const)(
    "in a %s costs that request alone, whose client is told; it is counted, with its place",
    (operation) => {
      const client = stepped.cluster.connect()
      const answers: Array<unknown> = []
      client.subscribe(
        "inbox",
        ({ data }) => answers.push(...JSON.parse(new TextDecoder().decode(data)))
      )
      const method = operation === "get" ? "handle" : operation
      for (const { core: { coordinator } } of stepped.nodes) {
        const original = coordinator[method].bind(coordinator)
        let calls = 0
        Object.assign(coordinator, {
          [method]: (...args: Parameters<typeof original>) => {
            if (++calls === 2) throw new Error("planted")
            Reflect.apply(original, coordinator, args)
          }
        })
      }
      const requests = [1, 2, 3].map((id) => ({ id, key: "k", limit: 1 }))
      const data = new TextEncoder().encode(JSON.stringify(requests))
      // A primary, or the node that the requests are forwarded to would fail at its second too.
      const [primary] = stepped.nodesOf(notes, "k").primaries
      client.publish(`everwrite.test.v1.node.n${primary}.read.notes.${operation}`, data, "inbox")
      stepped.runtime.advance(20_000)
      const told = { error: { _tag: "NoAnswer", mayHaveApplied: false } }
      expect(answers.toSorted((a, b) => Object(a).id - Object(b).id)).toMatchObject([
        { id: 1 },
        { id: 2, ...told },
        { id: 3 }
      ])
      expect(answers.filter((answer) => "error" in Object(answer))).toHaveLength(1)
      expect(failures).toEqual([["Error: planted", "a read of a client over NATS"]])
      expect(stepped.nodes.filter(({ core }) => core.guard.count > 0)).toHaveLength(1)
    }
  )
})
