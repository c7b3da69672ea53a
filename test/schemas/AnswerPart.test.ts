// Checks that an answer in parts is read back, whatever its size, and that nothing else is taken
// for a part.
import { readdirSync, readFileSync } from "node:fs"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { headerBytesMax, headerLine, type PartHeader, readPart } from "../../schemas/AnswerPart.ts"
import { answerText, errorText } from "../../schemas/AnswerText.ts"
import { NoAnswer } from "../../src/core/model/StoreError.ts"

const count = fc.integer({ min: 2, max: 2 ** 53 - 1 })
const headers: fc.Arbitrary<PartHeader> = fc.record({
  part: fc.integer({ min: 1, max: 2 ** 53 - 1 }),
  of: count,
  run: fc.stringMatching(/^[a-z0-9-]{1,64}$/u),
  id: fc.maxSafeInteger()
}, { requiredKeys: ["part", "of", "run"] }).filter(({ of, part }) => part <= of)

describe("a part of an answer", () => {
  it("is read back with its bytes, and its line is within the bound", () => {
    fc.assert(fc.property(headers, fc.uint8Array(), (header, bytes) => {
      const line = Buffer.from(headerLine(header))
      expect(line.length).toBeLessThanOrEqual(headerBytesMax)
      expect(readPart(Buffer.concat([line, bytes]))).toEqual({ header, bytes: Buffer.from(bytes) })
    }))
  })

  it("is malformed where its line is cut off or wrong", () => {
    const lines = [
      "{\"part\":",
      "{\"part\":1,\"of\":2,\"run\":\"a\"}",
      "{\"part\":3,\"of\":2,\"run\":\"a\"}\n",
      "{\"part\":0,\"of\":2,\"run\":\"a\"}\n",
      "{\"part\":1,\"of\":1,\"run\":\"a\"}\n",
      "{\"part\":1,\"of\":2,\"run\":\"\"}\n",
      "{\"part\":1,\"of\":2}\n",
      `{"part":1,"of":2,"run":"${"a".repeat(65)}"}\n`,
      `{"part":1,${" ".repeat(headerBytesMax)}"of":2,"run":"a"}\n`,
      "{\"part\":1]\n"
    ]
    expect(lines.map((line) => readPart(Buffer.from(line)))).toEqual(lines.map(() => "malformed"))
  })

  it("is told from any other answer", () => {
    const answer = { values: ["1"], context: "c", replied: 1, siblings: 1 }
    const error = errorText(undefined, new NoAnswer({ reason: "none", mayHaveApplied: false }))
    for (const text of [answerText(1, answer), answerText(undefined, answer), error, "[]", ""]) {
      expect(readPart(Buffer.from(text))).toBe("whole")
    }
  })

  it("of version 1 is read as it was written", () => {
    const folder = new URL("../golden/answer-part-1/", import.meta.url)
    const parts = readdirSync(folder).toSorted().map((name) =>
      readPart(readFileSync(new URL(name, folder)))
    )
    const pieces = parts.map((part) => typeof part === "string" ? Buffer.from(part) : part.bytes)
    expect(parts).toMatchObject([1, 2].map((part) => ({
      header: { part, of: 2, run: "0mi8dfxmoabcdef-1", id: 7 }
    })))
    expect(JSON.parse(Buffer.concat(pieces).toString())).toMatchObject({ id: 7, values: ["Zoë"] })
  })
})
