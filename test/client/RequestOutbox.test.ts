// Checks that requests leave as they should: each once, together with those that go the same way,
// in messages that the broker takes.
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { lan } from "../../src/core/model/Limits.ts"
import { RequestOutbox } from "../../src/client/RequestOutbox.ts"
import { replyToken } from "../../src/client/ReplySubject.ts"
import { RequestText } from "../../src/client/RequestText.ts"
import { BucketName, ClusterName, NodeId } from "../../src/core/model/Names.ts"

const nodes = [undefined, NodeId.make("n1"), NodeId.make("n2")]
const buckets = [BucketName.make("carts"), BucketName.make("notes")]
const operations = ["put", "lines.add"]

interface Published {
  readonly turn: number
  readonly subject: string
  readonly reply: string | undefined
  /** The view that was published, and its bytes at the end of its turn. */
  readonly view: Uint8Array
  readonly text: string
}

const sending = fc.record({
  action: fc.constantFrom("read", "write"),
  node: fc.constantFrom(...nodes),
  bucket: fc.constantFrom(...buckets),
  /** Of a write; one may be named as reads are. */
  operation: fc.constantFrom("get", "edit", ...operations),
  /** Before the end of its turn. */
  ends: fc.integer({ min: 0, max: 4 }).map((drawn) => drawn === 0),
  letter: fc.constantFrom("x", "ä", "€", "😀", "\ud800", "\""),
  length: fc.oneof({ weight: 5, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.nat(7_000) })
})
type Sending = typeof sending extends fc.Arbitrary<infer A> ? A : never

const requestOf = ({ action, bucket, letter, length, operation }: Sending, number: number) => {
  const value = letter.repeat(length)
  const call = (name: string) => ({ name, args: [value] })
  const calls = operation === "edit" ? operations.map(call) : [call(operation)]
  const body = action === "read" ? { key: value } : { key: "k", calls }
  return new RequestText({ action, bucket, body }, JSON.stringify({ ...body, id: number }))
}

/** Sends in turns, and returns the messages that were published. */
const publishedBy = (
  turns: ReadonlyArray<ReadonlyArray<RequestText>>,
  { ends: hasEnded, nodeOf }: {
    readonly ends: (request: RequestText) => boolean
    readonly nodeOf: (request: RequestText) => NodeId | undefined
  },
  maxPayload: number
): ReadonlyArray<Published> => {
  const published: Array<Published> = []
  const ends: Array<() => void> = []
  let turn = 0
  const views: Array<Omit<Published, "text" | "turn">> = []
  const outbox = new RequestOutbox({
    runtime: { endOfTurn: (task) => void ends.push(task) },
    transport: {
      maxPayload: () => maxPayload,
      publish: (subject, view, reply) => void views.push({ subject, view, reply })
    },
    cluster: ClusterName.make("test"),
    inbox: "inbox",
    limits: lan.client
  })
  for (const requests of turns) {
    for (const request of requests) outbox.add(request, nodeOf(request))
    for (const request of requests) {
      if (request.message === 0 && hasEnded(request)) request.isOver = true
    }
    for (const end of ends.splice(0)) end()
    for (const one of views.splice(0)) {
      published.push({ ...one, turn, text: Buffer.from(one.view).toString() })
    }
    turn++
  }
  return published
}

const subjectOf = ({ action, bucket, node, operation }: Sending): string => {
  const way = `${action}.${bucket}.${action === "read" ? "get" : operation}`
  return `everwrite.test.v1.${node === undefined ? way : `node.${node}.${way}`}`
}

it("each request that goes on leaves once, in its turn, in a message that the broker takes", () => {
  let reused = 0
  const property = fc.property(
    fc.array(fc.array(sending, { maxLength: 40 }), { maxLength: 6 }),
    fc.constantFrom(100_000, 200_000),
    (turns, maxPayload) => {
      let number = 0
      const sendings = new Map<number, { readonly sending: Sending; readonly turn: number }>()
      const texts = new Map<number, RequestText>()
      const ways = new Map<RequestText, Sending>()
      const requests = turns.map((sent, turn) =>
        sent.map((one) => {
          sendings.set(++number, { sending: one, turn })
          const text = requestOf(one, number)
          texts.set(number, text)
          ways.set(text, one)
          return text
        })
      )
      const nodeOf = (request: RequestText) => ways.get(request)!.node
      const ends = (request: RequestText) => ways.get(request)!.ends
      const published = publishedBy(requests, { nodeOf, ends }, maxPayload)
      const left: Array<number> = []
      for (const [i, { reply, subject, text, turn, view }] of published.entries()) {
        if (i > 0 && view.buffer === published[i - 1]!.view.buffer) reused++
        expect(view.length).toBeLessThanOrEqual(maxPayload)
        const batch: ReadonlyArray<{ readonly id: number }> = JSON.parse(text)
        const first = texts.get(batch[0]!.id)!
        expect(reply).toBe(`inbox.${replyToken(first.message, nodeOf(first))}`)
        for (const { id } of batch) {
          expect(subject).toBe(subjectOf(sendings.get(id)!.sending))
          expect(turn).toBe(sendings.get(id)!.turn)
          left.push(id)
        }
      }
      expect(left.sort((a, b) => a - b)).toEqual(
        [...sendings.keys()].filter((id) => !texts.get(id)!.isOver)
      )
      expect(new Set(published.map(({ reply }) => reply)).size).toBe(published.length)
    }
  )
  fc.assert(property, { numRuns: 200 })
  expect(reused).toBeGreaterThan(100)
})
