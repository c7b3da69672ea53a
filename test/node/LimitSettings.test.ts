// Settings of limits: what a preset chooses, what a single setting overrides, what help says.
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { presetNames, presets } from "../../src/core/model/Limits.ts"
import { resolveDev } from "../../src/node/DevCluster.ts"
import { limitNames, limitSettings, limitsOf } from "../../src/node/LimitSettings.ts"
import { natsOptions } from "../../src/node/NatsSettings.ts"
import { fromEnvironment, fromFlags, type Source } from "../../src/node/Setting.ts"
import { resolve } from "../../src/node/Settings.ts"

const resolved = (...sources: ReadonlyArray<Source>) => Effect.runSync(resolve(sources))

describe("a preset", () => {
  it.each(presetNames)("%s chooses every limit, by flag or variable", (preset) => {
    for (const source of [fromFlags({ preset }), fromEnvironment({ EVERWRITE_PRESET: preset })]) {
      expect(limitsOf(resolved(source))).toEqual(presets[preset].node)
    }
  })

  it("is lan unless one is named", () => {
    expect(limitsOf(resolved())).toEqual(presets.lan.node)
  })

  it("is development for `everwrite dev` unless another is named", () => {
    expect(limitsOf(Effect.runSync(resolveDev([])))).toEqual(presets.development.node)
    const named = resolveDev([fromEnvironment({ EVERWRITE_PRESET: "wan" })])
    expect(limitsOf(Effect.runSync(named))).toEqual(presets.wan.node)
  })

  it("chooses the limits of the connection to NATS too", () => {
    const settings = resolved(fromFlags({ preset: "wan" }))
    const options = Effect.runSync(natsOptions(settings, { servers: "nats://a", name: "n" }))
    expect(options).toMatchObject(presets.wan.nats)
  })

  it.each(limitNames)("gives way to %s where that is set", (name) => {
    const own = name.endsWith("BytesMax") ? 2_000_001 : 777
    for (const preset of presetNames) {
      const settings = resolved(fromFlags({ preset, [name]: String(own) }))
      expect(limitsOf(settings)).toEqual({ ...presets[preset].node, [name]: own })
    }
  })

  it.each(presetNames)("%s has values that its settings accept", (preset) => {
    for (const name of limitNames) {
      expect(Schema.is(limitSettings[name].schema)(presets[preset].node[name]), name).toBe(true)
    }
  })
})

/** The text of a file from one word to another. */
const part = (file: string, first: string, next: string): string => {
  const text = readFileSync(new URL(`../../src/core/model/${file}`, import.meta.url), "utf8")
  return text.slice(text.indexOf(first), text.indexOf(next))
}

/** The comment of each field of the nodes' limits, in one line. */
const comments = (): ReadonlyMap<string, string> => {
  const nodes = part("GrowthLimits.ts", "export const", "\n}")
    + part("HandoffLimits.ts", "export const", "\n}")
    + part("MembershipLimits.ts", "export const", "\n}")
    + part("DeltaLimits.ts", "export const", "\n}")
    + part("ReadLimits.ts", "export const", "\n}")
    + part("DiskLimits.ts", "export const", "\n}")
    + part("LogLimits.ts", "export const", "\n}")
    + part("MemoryLimits.ts", "export const", "\n}")
    + part("EdgeLimits.ts", "const lanFrames", "const lanHttp")
    + part("EdgeLimits.ts", "const lanWork", "const lanClient")
    + part("AnswerLimits.ts", "const lanAnswerParts", "const lanAnswers")
    + part("AntiEntropyLimits.ts", "export const", "\n}")
    + part("Limits.ts", "const lanNode", "export interface NodeLimits")
  const fields = nodes.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s+(\w+):/gu)
  return new Map(Array.from(fields, ([, comment = "", name = ""]) => [
    name,
    comment.replaceAll(/^\s*\* ?/gmu, "").replaceAll(/\s+/gu, " ").trim()
  ]))
}

describe("help", () => {
  it.each(limitNames)("says of %s the comment of the limit", (name) => {
    expect(limitSettings[name].about).toBe(comments().get(name))
  })
})

it("every limit of a node has a comment of its own", () => {
  expect([...comments().keys()]).toEqual(Object.keys(presets.lan.node))
})
