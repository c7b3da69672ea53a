// Checks that a client takes from a reply the answers and errors that the schema describes, and
// nothing else.
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { answerText, errorText, readId, readOutcome } from "../../schemas/AnswerText.ts"
import { ReplyBody } from "../../schemas/ClientAnswer.ts"
import * as Json from "../../src/core/codec/Json.ts"
import { NoAnswer, NodeUnavailable } from "../../src/core/model/StoreError.ts"

const decodeReply = Schema.decodeUnknownOption(ReplyBody)

/** A reply as the schema reads it for a client. */
const bySchema = (json: unknown) => {
  const reply = Option.getOrUndefined(decodeReply(json))
  if (reply === undefined || reply.id === undefined) return undefined
  const { id, ...rest } = reply
  if ("error" in rest) return { id, outcome: rest.error }
  const none = "unshown" in rest ? { values: [], siblings: 0 } : {}
  return { id, outcome: { _tag: "Answer", ...none, ...rest } }
}

const byHand = (json: unknown) => {
  const id = readId(json)
  const outcome = readOutcome(json)
  return id === undefined || outcome === undefined ? undefined : { id, outcome }
}

const errors = [
  new NoAnswer({ reason: "none", mayHaveApplied: true }),
  new NodeUnavailable({ node: "n1", reason: "it stops" })
].map((error) => Json.parse(errorText(undefined, error)))

/** A field as it should be, or any JSON, or left out: most replies are nearly right. */
const field = (right: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 6, arbitrary: right },
    { weight: 1, arbitrary: fc.jsonValue() },
    { weight: 1, arbitrary: fc.constant(undefined) }
  )

const count = fc.oneof(fc.integer(), fc.constantFrom(0, 0.5, 2 ** 53, -1, 1e300))

const replies = fc.record({
  id: field(count),
  values: field(fc.array(fc.jsonValue())),
  context: field(fc.string()),
  replied: field(count),
  siblings: field(count),
  lost: fc.oneof(fc.constant(undefined), field(fc.constant(true))),
  unshown: fc.oneof(fc.constant(undefined), field(fc.constant(true))),
  error: fc.oneof(fc.constant(undefined), field(fc.constantFrom(...errors.map(errorOf))))
})

function errorOf(json: unknown): unknown {
  return typeof json === "object" && json !== null && "error" in json ? json.error : undefined
}

describe("a reply", () => {
  it("is read by hand as the schema reads it, whatever is wrong with it", () => {
    let taken = 0
    fc.assert(
      fc.property(fc.oneof(replies, fc.jsonValue()), (reply) => {
        const json = Json.parse(JSON.stringify(reply))
        const found = byHand(json)
        if (found !== undefined) taken++
        expect(found).toEqual(bySchema(json))
      }),
      { numRuns: 2_000 }
    )
    expect(taken).toBeGreaterThan(50)
  })

  it("that a node wrote is read back", () => {
    const answer = { values: ["{\"a\":1}", "2"], context: "c", replied: 2, siblings: 3 }
    expect(byHand(Json.parse(answerText(7, answer)))).toEqual({
      id: 7,
      outcome: { _tag: "Answer", ...answer, values: [{ a: 1 }, 2] }
    })
    const told = { ...answer, lost: true } as const
    expect(byHand(Json.parse(answerText(9, told)))).toMatchObject({
      outcome: { lost: true, replied: 2 }
    })
    const unshown = { ...answer, unshown: true } as const
    expect(byHand(Json.parse(answerText(6, unshown)))).toEqual({
      id: 6,
      outcome: { ...unshown, _tag: "Answer", values: [], siblings: 0 }
    })
    const error = new NodeUnavailable({ node: "n1", reason: "it stops" })
    expect(byHand(Json.parse(errorText(8, error)))).toEqual({ id: 8, outcome: error })
  })

  it("of another shape is no outcome", () => {
    const answer = { values: [], context: "c", replied: 2, siblings: 1 }
    const wrong: ReadonlyArray<unknown> = [
      undefined,
      null,
      1,
      "answer",
      [],
      [answer],
      {},
      { ...answer, values: {} },
      { ...answer, values: "none" },
      { ...answer, context: 1 },
      { ...answer, replied: 1.5 },
      { ...answer, siblings: null },
      { error: "none" },
      { error: { _tag: "Unknown" } },
      { error: { _tag: "NoAnswer", reason: 1, mayHaveApplied: true } }
    ]
    for (const reply of wrong) expect(readOutcome(reply)).toBeUndefined()
    for (const id of [undefined, null, "1", 1.5, 2 ** 53]) {
      expect(readId({ ...answer, id })).toBeUndefined()
    }
  })
})
