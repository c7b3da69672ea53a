/**
 * Is a load generator: it connects to one program and puts it under the loads that it is told.
 *
 *     node test/bench/peers/generate.ts PROGRAM ADDRESS
 */
import type { Outcome, Task } from "./Loader.ts"
import { loads } from "./Loads.ts"
import { forEach, keepInFlight, keepRate } from "./Measuring.ts"
import { programs } from "./Programs.ts"

const [program = "", address = ""] = process.argv.slice(2)
const client = await programs[program]!.connect(address)
const filled = new Set<string>()

const run = async ({ inFlight, load: name, seconds }: Task): Promise<Outcome> => {
  const load = loads[name]!
  const operate = load.operation(client)
  if (operate === undefined) return { unsupported: true }
  if (!filled.has(load.needs.name)) {
    await load.needs.fill(client, forEach)
    filled.add(load.needs.name)
  }
  return {
    measured: load.rate === undefined
      ? await keepInFlight({ inFlight, seconds }, operate)
      : await keepRate({ rate: load.rate, seconds }, operate)
  }
}

process.on("message", (task: Task) => {
  run(task)
    .catch((error: unknown) => ({ failed: String(error) }))
    .then((outcome) => process.send?.(outcome))
    .catch(() => process.exit(1))
})
process.once("disconnect", () => process.exit())
process.once("SIGTERM", () => void client.close().finally(() => process.exit()))
process.send?.("ready")
