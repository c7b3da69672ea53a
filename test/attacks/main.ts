/**
 * Attacks a node, and prints what that costs it and an honest client: `npm run attack -- http`.
 */
import { parseArgs } from "node:util"
import { attackHttp } from "./http.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "10" } }
})

const attacks: Readonly<Record<string, (millis: number) => Promise<void>>> = { http: attackHttp }

const name = positionals[0] ?? ""
const attack = Object.hasOwn(attacks, name) ? attacks[name] : undefined
if (attack === undefined) {
  console.error(`npm run attack -- ${Object.keys(attacks).join("|")} [--seconds N]`)
  process.exit(1)
}
await attack(1_000 * Number(values.seconds))
