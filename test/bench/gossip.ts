/**
 * Says what it costs the members of a cluster to know each other, and how soon they do: gossip, the
 * failure detector and greetings of 3 to 100 nodes, on virtual time.
 *
 *     npx node --conditions=everwrite-source test/bench/gossip.ts
 *
 * `--sizes 3,300` takes other numbers of nodes; some hundred take minutes.
 */
import { parseArgs } from "node:util"
import { WatchModel } from "../gossip/WatchModel.ts"

const { values: { sizes } } = parseArgs({
  options: { sizes: { type: "string", default: "3,10,30,100" } }
})

const quietSeconds = 20
const deadSeconds = 20

/** Of all nodes, in the seconds from one on to before another. */
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

const secondOf = (model: WatchModel): number => Math.ceil(model.now / 1_000)

const untilTrue = (model: WatchModel, seconds: number, done: () => boolean): number => {
  const from = model.now
  model.pass(1_000 * seconds, done)
  return done() ? model.now - from : Infinity
}

const measure = (size: number) => {
  const model = new WatchModel(size, size)
  const [first, second] = model.members
  const formed = untilTrue(
    model,
    120,
    () => model.members.every((one) => model.knowing(one) === size)
  )
  model.pass(30_000)
  model.pass(1_000 * secondOf(model) - model.now)
  const quietFrom = secondOf(model)
  model.pass(1_000 * quietSeconds)
  const quiet = bytesOf(model, quietFrom, quietFrom + quietSeconds)

  model.change(first!)
  const known = untilTrue(model, 60, () => model.knowing(first!) === size)
  model.pass(10_000)
  model.pass(1_000 * secondOf(model) - model.now)

  const deadFrom = secondOf(model)
  model.kill(second!)
  const noticed = untilTrue(model, 60, () => model.believing(second!, "down") === 1)
  const all = noticed + untilTrue(model, 60, () => model.believing(second!, "down") === size - 1)
  model.pass(1_000 * (deadFrom + deadSeconds) - model.now)
  const dead = bytesOf(model, deadFrom, deadFrom + deadSeconds)
  return { size, formed, quiet, known, noticed, all, dead }
}

const seconds = (millis: number): string =>
  millis === Infinity ? "never" : (millis / 1_000).toFixed(2)

console.log(
  "| nodes | all know all after s | quiet: B/s mean | most a node | most in a second |"
    + " a change is known after s | a dead node is down: first s | all s | then: B/s mean"
    + " | most a node | most in a second |"
)
console.log(`|${" --- |".repeat(11)}`)
for (const size of sizes.split(",").map(Number)) {
  const { all, dead, formed, known, noticed, quiet } = measure(size)
  const bytes = ({ greatest, greatestMean, mean }: typeof quiet) =>
    [mean, greatestMean, greatest].map((value) => value.toFixed(0)).join(" | ")
  console.log(
    `| ${size} | ${seconds(formed)} | ${bytes(quiet)} | ${seconds(known)} | `
      + `${seconds(noticed)} | ${seconds(all)} | ${bytes(dead)} |`
  )
}
