/**
 * Says what it costs the members of a cluster to know each other, and how soon they do: gossip, the
 * failure detector and greetings of 3 to 1,000 nodes, on virtual time.
 *
 *     npx node --conditions=everwrite-source test/bench/gossip.ts
 *
 * `--sizes 3,300` takes other numbers of nodes. A start of more than `--starts 300` is left out:
 * that of 300 is half of the run.
 */
import { parseArgs } from "node:util"
import { WatchModel } from "../gossip/WatchModel.ts"

const { values: { sizes, starts } } = parseArgs({
  options: {
    sizes: { type: "string", default: "3,10,30,100,300,1000" },
    starts: { type: "string", default: "300" }
  }
})

const settleSeconds = 3
const measuredSeconds = 10
/** Of how many milliseconds each figure in seconds is a multiple. */
const lookMillis = 10

/** Of all nodes that live, in the seconds from one on to before another. */
const bytesOf = ({ members }: WatchModel, from: number, to: number) => {
  const seconds = members.filter(({ owner }) => owner.alive).map(({ bytes }) =>
    Array.from({ length: to - from }, (_, i) => bytes[from + i] ?? 0)
  )
  const means = seconds.map((each) => each.reduce((a, b) => a + b, 0) / each.length)
  return {
    mean: means.reduce((a, b) => a + b, 0) / means.length,
    greatestMean: Math.max(...means),
    greatest: Math.max(...seconds.flat())
  }
}

/** The most that gossip alone was in one second of one node. */
const gossipOf = ({ members }: WatchModel): number =>
  Math.max(...members.flatMap(({ gossip }) => gossip))

const passToSecond = (model: WatchModel): number => {
  const second = Math.ceil(model.now / 1_000)
  model.pass(1_000 * second - model.now)
  return second
}

const untilTrue = (model: WatchModel, seconds: number, done: () => boolean): number => {
  const from = model.now
  while (!done()) {
    if (model.now - from >= 1_000 * seconds) return Infinity
    model.pass(lookMillis)
  }
  return model.now - from
}

const measureStart = (size: number) => {
  const model = new WatchModel(size, size)
  const [first] = model.members
  const millis = untilTrue(
    model,
    300,
    () => model.members.every(({ watch }) => watch?.facts().length === size)
  )
  const second = Math.ceil(model.now / 1_000)
  const known = model.knowing(first!)
  return { millis, bytes: bytesOf(model, 0, second), known, gossip: gossipOf(model) }
}

const measure = (size: number) => {
  const model = new WatchModel(size, size, { isSettled: true })
  const [first, second] = model.members
  model.pass(1_000 * settleSeconds)
  const quietFrom = passToSecond(model)
  model.pass(1_000 * measuredSeconds)
  const quiet = bytesOf(model, quietFrom, quietFrom + measuredSeconds)

  model.pass(137)
  const before = { ...model.gossiped }
  model.change(first!)
  const known = untilTrue(model, 60, () => model.knowing(first!) === size)
  const messages = (model.gossiped.messages - before.messages) / size
  const bytes = (model.gossiped.bytes - before.bytes) / size
  model.pass(1_000 * settleSeconds)

  const deadFrom = passToSecond(model)
  model.kill(second!)
  const noticed = untilTrue(model, 60, () => model.believing(second!, "down") > 0)
  const all = noticed + untilTrue(model, 60, () => model.believing(second!, "down") === size - 1)
  model.pass(1_000 * (deadFrom + measuredSeconds) - model.now)
  const dead = bytesOf(model, deadFrom, deadFrom + measuredSeconds)
  return { quiet, known, messages, bytes, noticed, all, dead, gossip: gossipOf(model) }
}

const seconds = (millis: number): string =>
  millis === Infinity ? "never" : (millis / 1_000).toFixed(2)

const bytesText = ({ greatest, greatestMean, mean }: ReturnType<typeof bytesOf>) =>
  [mean, greatestMean, greatest].map((value) => value.toFixed(0)).join(" | ")

console.log(
  "| nodes | quiet: B/s mean | most a node | most in a second | a change is known after s"
    + " | gossip a node: messages | bytes | a dead node is down: first s | all s | then: B/s mean"
    + " | most a node | most in a second | start: all know all after s | B/s mean | most a node"
    + " | most in a second | gossip alone: most in a second |"
)
console.log(`|${" --- |".repeat(17)}`)
for (const size of sizes.split(",").map(Number)) {
  const { all, bytes, dead, gossip, known, messages, noticed, quiet } = measure(size)
  const start = size <= Number(starts) ? measureStart(size) : undefined
  console.log(
    `| ${size} | ${bytesText(quiet)} | ${seconds(known)} | ${messages.toFixed(1)} | `
      + `${bytes.toFixed(0)} | ${seconds(noticed)} | ${seconds(all)} | ${bytesText(dead)} | `
      + (start === undefined
        ? "- | - | - | - |"
        : `${seconds(start.millis)} | ${bytesText(start.bytes)} |`)
      + ` ${Math.max(gossip, start?.gossip ?? 0)} |`
  )
}
