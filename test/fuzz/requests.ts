/**
 * Sends changed requests of clients over NATS to a cluster. Each message is answered, by an answer
 * for each request in it or one typed error; no node throws, stalls, or alarms about itself.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ErrorBody, ReplyBody } from "../../schemas/ClientAnswer.ts"
import { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import { ClusterStatus } from "../../schemas/ClusterStatus.ts"
import { ExplanationReply } from "../../schemas/Explanation.ts"
import { HintReport } from "../../schemas/HintReport.ts"
import { KeyPageReply } from "../../schemas/KeyPage.ts"
import { SyncReport } from "../../schemas/SyncReport.ts"
import { AnswerReassembly } from "../../src/client/AnswerReassembly.ts"
import { lan } from "../../src/core/model/Limits.ts"
import { Drawing } from "./Drawing.ts"
import { FuzzedCluster, maxPayload, room } from "./FuzzedCluster.ts"
import { type Episode, Fault, Outcomes } from "./judging.ts"
import { changedBytes, changedJson, oddTexts } from "./mutations.ts"

interface Sample {
  readonly subject: string
  readonly body: string
}

const sample = (subject: string, body: object): Sample => ({
  subject,
  body: JSON.stringify(body)
})

const samplesOf = ({ contexts }: FuzzedCluster): ReadonlyArray<Sample> => {
  const context = contexts[0] ?? ""
  const operationId = { session: "s", sequence: 2 }
  const mark = "000000000000000.1"
  const calls = [{ name: "visits.add", args: [1] }, { name: "books.add", args: ["a"] }]
  return [
    sample("read.shelves.get", { id: 1, key: "k1", r: "quorum", timeoutMillis: 500 }),
    sample("read.shelves.get", { key: "k0", after: contexts, consistency: "strong" }),
    sample("read.rooms.get", { key: room, merge: true, pr: 2 }),
    sample("read.notes.list", { id: 3, limit: 10, partial: true }),
    sample("read.notes.list", { limit: 2, after: "AAAA" }),
    sample("read.shelves.explain", { id: 4, key: "k1" }),
    sample("read.rooms.explain", { key: room, timeoutMillis: 100 }),
    sample("write.shelves.visits.add", { id: 5, key: "k1", args: [3], w: "all" }),
    sample("write.shelves.label.set", { key: "k1", args: [{ a: [1, { b: "c" }] }] }),
    sample("write.shelves.books.remove", { key: "k1", args: ["b1"], context }),
    sample("write.shelves.edit", { id: 6, key: "k0", calls, dw: 2 }),
    sample("write.notes.put", { key: "k1", args: ["a note"], context, fingerprint: "" }),
    sample("write.notes.delete", { key: "k0", args: [], context }),
    sample("write.scores.put", { key: "k1", args: [7], pw: 1 }),
    sample("write.rooms.put", { key: room, args: [{ beds: 2 }] }),
    sample("write.profiles.put", {
      key: "k1",
      args: [{ name: "n" }],
      operationId,
      mark: "",
      ifUnknown: "apply"
    }),
    sample("write.shelves.visits.add", {
      key: "k1",
      args: [1],
      operationId,
      tried: [{ node: "n2", mark }, { node: "n3", unreachable: true }]
    }),
    // The document is longer than a message.
    sample("read.notes.get", { id: 7, key: "long", answerBytesMax: 1_000_000 }),
    sample("read.notes.get", { id: 8, key: "long" }),
    sample("read.notes.explain", { key: "long", answerBytesMax: 1_000_000 }),
    sample("write.notes.put", { id: 9, key: "long", args: ["x"], answerBytesMax: 100_000 }),
    sample("cluster.describe", { answerBytesMax: 1_000_000 }),
    sample("cluster.describe", {}),
    sample("cluster.sync", { bucket: "notes", timeoutMillis: 10 }),
    sample("cluster.hints", {}),
    sample("cluster.status", { timeoutMillis: 10 })
  ]
}

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true })

/** Several requests in one message, for which a node keeps their order and their number. */
const batchOf = (draw: Drawing, bodies: ReadonlyArray<string>): string =>
  `[${Array.from({ length: draw.few(60) }, () => draw.of(bodies)).join(",")}]`

const bodyOf = (draw: Drawing, { body }: Sample, samples: ReadonlyArray<Sample>): Uint8Array => {
  const other = draw.of(samples).body
  let text = draw.oneIn(8) ? body : changedJson(draw, body, other)
  if (draw.oneIn(6)) text = batchOf(draw, [text, body, other])
  const bytes = encoder.encode(text)
  return draw.oneIn(5) ? changedBytes(draw, bytes, encoder.encode(other)) : bytes
}

const subjectOf = (draw: Drawing, { subject }: Sample, samples: ReadonlyArray<Sample>): string => {
  const at = draw.oneIn(4) ? `node.n${1 + draw.below(5)}.` : ""
  if (!draw.oneIn(10)) return at + subject
  const tokens = `${at}${subject}`.split(".")
  const odd = draw.of(oddTexts).replaceAll(/[^a-z_é]/gu, "") || "x"
  tokens[draw.below(tokens.length)] = draw.oneIn(2) ? odd : draw.of(samples).subject
  return tokens.join(".")
}

const decodeReply = Schema.decodeUnknownResult(
  Schema.Union([
    ReplyBody,
    ExplanationReply,
    KeyPageReply,
    ClusterDescription,
    SyncReport,
    HintReport,
    ClusterStatus
  ])
)
const decodeError = Schema.decodeUnknownResult(ErrorBody)

/** How many requests a message holds; one where it holds none that can be read. */
const requestsIn = (subject: string, data: Uint8Array): number => {
  // These are questions without a body.
  if (subject.startsWith("everwrite.test.v1.cluster.")) return 1
  try {
    const json: unknown = JSON.parse(decoder.decode(data))
    return Array.isArray(json) ? json.length : 1
  } catch {
    return 1
  }
}

interface Sent {
  readonly body: Uint8Array
  readonly subject: string
  readonly wanted: number
  got: number
  /** Whether one error stands for the whole message, or nobody takes its subject. */
  isRefused: boolean
}

const nameOf = (reply: unknown): string => {
  const error = decodeError(reply)
  return Result.isSuccess(error) ? error.success.error._tag : "answered"
}

const take = (sent: Sent, data: Uint8Array, outcomes: Outcomes): void => {
  const reply: unknown = JSON.parse(decoder.decode(data))
  const isBatch = Array.isArray(reply)
  const replies: ReadonlyArray<unknown> = isBatch ? reply : [reply]
  for (const one of replies) {
    const decoded = decodeReply(one)
    if (Result.isFailure(decoded)) {
      throw new Fault(`an answer of no known form, ${JSON.stringify(one)}, to`, sent.body)
    }
    outcomes.add(nameOf(one))
  }
  sent.got += replies.length
  if (!isBatch && nameOf(reply) === "InvalidRequest") sent.isRefused = true
}

/**
 * Of a request's own fault, and none of a node about itself, its disks or its peers: one message
 * may write 60 times to a key without having read, and so leave more than half of the siblings
 * that are allowed there.
 */
const allowed = new Set(["request", "dropped", "growth"])

/** Longer than any request may wait. */
const longestMillis = 61_000

export const fuzzRequests = async (seed: number, inputs: number): Promise<Episode> => {
  const draw = new Drawing(seed)
  const cluster = await FuzzedCluster.start()
  const samples = samplesOf(cluster)
  const outcomes = new Outcomes()
  const open: Array<Sent> = []
  const { runtime } = cluster.stepped
  const parts = new AnswerReassembly({ runtime, limits: lan.client, heard: () => undefined })
  for (let n = 0; n < inputs; n++) {
    const sample = draw.of(samples)
    const body = bodyOf(draw, sample, samples).subarray(0, maxPayload)
    const subject = `everwrite.test.v1.${subjectOf(draw, sample, samples)}`
    const sent: Sent = {
      body,
      subject,
      wanted: requestsIn(subject, body),
      got: 0,
      isRefused: false
    }
    const inbox = `_INBOX.fuzz.${n}`
    cluster.outside.subscribe(inbox, ({ data, noResponders }) => {
      const whole = parts.whole(data)
      if (noResponders) sent.isRefused = true
      else if (whole !== undefined) take(sent, whole, outcomes)
    })
    cluster.outside.publish(subject, body, inbox)
    cluster.run(body)
    if (sent.got !== sent.wanted) open.push(sent)
    if (n % 50 === 0) cluster.checkKept()
  }
  cluster.stepped.runtime.advance(longestMillis)
  cluster.run("the end of all timeouts")
  for (const { body, got, isRefused, subject, wanted } of open) {
    if (got === wanted || isRefused) continue
    throw new Fault(`${got} answers for ${wanted} requests to ${subject}`, body)
  }
  cluster.checkAlarms(allowed)
  cluster.checkServes()
  cluster.stop()
  return { inputs, longestTurn: cluster.longestTurn, outcomes: outcomes.counts }
}
