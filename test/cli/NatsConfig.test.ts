/** The command that prints a broker's configuration: its flags, its secrets, and its refusals. */
import { expect, it } from "vitest"
import { describeWithNats, startNatsServer } from "../tooling/natsServer.ts"
import { run } from "./everwrite.ts"

const print = (...args: ReadonlyArray<string>) =>
  run(["nats-config", "--cluster", "prod", "--nodes", "n1,n2", ...args])

const passwords = async () => {
  const { code, stdout } = await print("--reader", "dash", "--generate")
  expect(code).toBe(0)
  return [...stdout.matchAll(/password: "([A-Za-z0-9_-]{32})"/gu)].map(([, drawn]) => drawn)
}

it("draws another password for each user and at each time, where it is asked to", async () => {
  const drawn = [...await passwords(), ...await passwords()]
  expect(drawn).toHaveLength(6)
  expect(new Set(drawn).size).toBe(6)
})

it.each([
  [["--reader", "n1"], "n1 is given twice"],
  [["--reader", "a-b", "--writer", "a_b"], "a-b and a_b would share the password"],
  [["--reader", "A"], "A is no name"],
  [["--reader", "a=B"], "B is no name of a bucket"],
  [["--reader", "a=b=c"], "more than one ="],
  [["--operations", "a"], "names no operation"],
  [["--operations", "a=visits"], "no operation: expected bucket.operation"],
  [["--operations", "a=visits.*"], "no operation"],
  [["--operations", "a=visits.>"], "no operation"],
  [["--operations", "a=visits.edit"], "carries any operation"],
  [["--host", "a\"\nport: 1"], "no host name"],
  [["--port", "0"], "1 to 65535"]
])("refuses %j", async (args, problem) => {
  const { code, stderr, stdout } = await print(...args)
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
  expect(stderr).toContain(problem)
})

describeWithNats("nats-server", () => {
  it("takes the printed text as it is", async () => {
    const { stdout } = await print("--operations", "tally=visits.add", "--generate")
    const server = await startNatsServer(stdout.replaceAll(/^(?:host|port): .*$/gmu, ""))
    await server.stop()
  })
})
