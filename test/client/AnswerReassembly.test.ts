// Checks that answers in parts are put together whatever happens to their parts on the way, within
// the bounds on what waits, and that nothing else is made of them.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { headerLine } from "../../schemas/AnswerPart.ts"
import { AnswerReassembly } from "../../src/client/AnswerReassembly.ts"
import { SteppedRuntime } from "../tooling/SteppedRuntime.ts"

const limits = {
  answerPartsBytesMax: 100_000,
  answerPartsMax: 64,
  answersFinishedMax: 100,
  answerPartsPauseMillis: 100
}

const begin = (more: Partial<typeof limits> = {}) => {
  const runtime = new SteppedRuntime()
  const heard: Array<number> = []
  const reassembly = new AnswerReassembly({
    runtime,
    limits: { ...limits, ...more },
    heard: (id) => heard.push(id)
  })
  return { runtime, heard, reassembly }
}

/** The messages of an answer, each with a piece of so many bytes. */
const partsOf = (run: string, text: string, pieceBytes: number, id = 7) => {
  const bytes = Buffer.from(text)
  const of = Math.ceil(bytes.length / pieceBytes)
  return Array.from({ length: of }, (_, i) =>
    Buffer.concat([
      Buffer.from(headerLine({ part: i + 1, of, run, id })),
      bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes)
    ]))
}

const textOf = (whole: Uint8Array | undefined) =>
  whole === undefined ? undefined : Buffer.from(whole).toString()

describe("an answer in parts", () => {
  it("is whole once, when each part has come, in whatever order and however often", () => {
    const answer = fc.string({ unit: "binary", minLength: 20, maxLength: 300 })
    fc.assert(fc.property(
      fc.array(answer, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 5, max: 12 }),
      fc.infiniteStream(fc.nat()),
      (answers, pieceBytes, draws) => {
        const { reassembly } = begin()
        const texts = answers.map((text) => Buffer.from(text).toString())
        const messages = texts.flatMap((text, i) => partsOf(`run-${i}`, text, pieceBytes))
        const twice = [...messages, ...messages].map((message) => ({
          message,
          place: draws.next().value
        })).toSorted((a, b) => a.place - b.place)
        const wholes = twice.map(({ message }) => textOf(reassembly.whole(message)))
        expect(wholes.filter((text) => text !== undefined).toSorted()).toEqual(texts.toSorted())
      }
    ))
  })

  it("tells of the request that it answers, as long as it is not whole", () => {
    const { heard, reassembly } = begin()
    for (const message of partsOf("run", "x".repeat(30), 10, 5)) reassembly.whole(message)
    expect(heard).toEqual([5, 5])
  })

  it("is given up some time after its last part", () => {
    const { reassembly, runtime } = begin()
    const [first, second, third] = partsOf("run", "x".repeat(30), 10)
    reassembly.whole(first!)
    runtime.advance(90)
    reassembly.whole(second!)
    runtime.advance(400)
    expect(reassembly.abandoned()).toBe(1)
    expect(reassembly.whole(third!)).toBeUndefined()
  })

  it("gives way to a later one where too many bytes wait", () => {
    const { reassembly } = begin({ answerPartsBytesMax: 2_000 })
    const [early] = partsOf("early", "x".repeat(1_500), 800)
    const late = partsOf("late", "y".repeat(1_000), 600)
    reassembly.whole(early!)
    expect(late.map((message) => textOf(reassembly.whole(message)))).toEqual([
      undefined,
      "y".repeat(1_000)
    ])
    expect(reassembly.abandoned()).toBeGreaterThan(0)
  })

  it("of more parts or bytes than the bound is not kept", () => {
    const { reassembly } = begin({ answerPartsBytesMax: 2_000 })
    const [many] = partsOf("many", "x".repeat(650), 10)
    const [large] = partsOf("large", "x".repeat(4_000), 1_000)
    expect(reassembly.whole(many!)).toBeUndefined()
    expect(reassembly.whole(large!)).toBeUndefined()
    expect(reassembly.abandoned()).toBe(2)
  })
})

describe("a message that is no part", () => {
  it("is an answer as it is, and one that only begins as a part is none", () => {
    const { reassembly } = begin()
    const answer = Buffer.from("{\"id\":1,\"values\":[]}")
    expect(reassembly.whole(answer)).toBe(answer)
    expect(reassembly.whole(Buffer.from("{\"part\":1}"))).toBeUndefined()
    fc.assert(fc.property(fc.uint8Array(), (bytes) => {
      const data = Buffer.concat([Buffer.from("{\"part\":"), bytes])
      expect(reassembly.whole(data)).toBeUndefined()
    }))
  })
})
