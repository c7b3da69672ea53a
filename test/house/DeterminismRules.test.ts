// Checks that simulated code takes time, chance and turns from `Runtime` alone.
import { describe, expect, it } from "vitest"
import { isSimulated, noModuleState, repeatable } from "./DeterminismRules.ts"
import { repository, type SourceFile } from "./Source.ts"

const files = repository()
const sample = (text: string): ReadonlyArray<SourceFile> => [{ path: "src/replica/A.ts", text }]

describe("what a simulated run can repeat", () => {
  it("simulated code uses no real time, chance, promise or local ordering", () => {
    expect(repeatable(files)).toEqual([])
  })

  it.each([
    "const a = Date.now()",
    "const a = new Date(0)",
    "const a = performance.now()",
    "const a = Math.random()",
    "setTimeout(f, 1)",
    "setInterval(f, 1)",
    "setImmediate(f)",
    "queueMicrotask(f)",
    "process.nextTick(f)",
    "globalThis.setTimeout(f, 1)",
    "const a = crypto.randomUUID()",
    "import { randomBytes } from \"node:crypto\"",
    "const a = Promise.resolve(1)",
    "type A = Promise<number>",
    "const a = async () => 1",
    "async function a() {}",
    "class A { async b() {} }",
    "await f()",
    "const a = Effect.tryPromise(f)",
    "words.sort((a, b) => a.localeCompare(b))",
    "const a = Intl.Collator()",
    "const a = { now: Date }",
    "const a = `${Date.now()}`"
  ])("%s is refused", (text) => {
    expect(repeatable(sample(text))).not.toEqual([])
  })

  it.each([
    "// Date.now() would differ\nconst a = \"Math.random()\"",
    "/* await */ const a = /Date/.test(b)",
    "const a = Schema.Date",
    "interface A { readonly Date: number; readonly process: () => void }",
    "const a = { performance: 1 }",
    "const a = Math.floor(runtime.random() * 2)"
  ])("%s is not refused", (text) => {
    expect(repeatable(sample(text))).toEqual([])
  })
})

describe("state of modules", () => {
  it("simulated code keeps nothing mutable at module level", () => {
    expect(noModuleState(files)).toEqual([])
  })

  it.each([
    "let a = 0",
    "export let a = 0",
    "var a = 0",
    "const a = new Map()",
    "export const a: Map<string, number> = new Map()",
    "const a = new Set([1])",
    "const a: Array<number> = []",
    "const a: number[] = []",
    "const a = {}",
    "class A { static readonly b = new Map() }"
  ])("%s is refused", (text) => {
    expect(noModuleState(sample(text))).toHaveLength(1)
  })

  it.each([
    "const a: ReadonlyMap<string, number> = new Map([[\"a\", 1]])",
    "const a: ReadonlyArray<number> = []",
    "const a: VersionVector = new Map()",
    "const a: readonly number[] = []",
    "const a = [1, 2]",
    "const a = () => { let b = 0; const c = new Map(); return [b, c] }",
    "class A { b = new Map() }"
  ])("%s is not refused", (text) => {
    expect(noModuleState(sample(text))).toEqual([])
  })
})

describe("where the simulator runs", () => {
  it.each([
    "src/core/ring/Ring.ts",
    "src/transport/MemoryTransport.ts",
    "src/storage/SqliteStorage.ts",
    "src/testing/simulator/Kernel.ts"
  ])("%s is simulated", (path) => {
    expect(isSimulated(path)).toBe(true)
  })

  it.each([
    "src/transport/NatsTransport.ts",
    "src/transport/broker/Broker.ts",
    "src/storage/worker.ts",
    "src/node/LiveRuntime.ts",
    "test/core/ring/Ring.test.ts"
  ])("%s is not", (path) => {
    expect(isSimulated(path)).toBe(false)
  })
})
