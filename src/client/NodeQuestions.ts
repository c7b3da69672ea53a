/**
 * Asks any node over NATS about itself and its cluster; no question is about a document.
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { AnyDescription } from "../../schemas/ClusterDescription.ts"
import { ClusterStatus } from "../../schemas/ClusterStatus.ts"
import { HintReport } from "../../schemas/HintReport.ts"
import { SyncReport } from "../../schemas/SyncReport.ts"
import { type ClientLimits, lan } from "../core/model/Limits.ts"
import { InvalidRequest, type StoreError } from "../core/model/StoreError.ts"
import type { Subjects } from "../transport/Subjects.ts"
import type { Backend, BackendQuestions } from "./Backend.ts"
import type { NatsAsk } from "./NatsAsk.ts"

type AllQuestions = Required<BackendQuestions> & Pick<Backend, "describe">

const decodeDescription = Schema.decodeUnknownResult(AnyDescription)
const decodeHints = Schema.decodeUnknownResult(HintReport)
const decodeStatus = Schema.decodeUnknownResult(ClusterStatus)
const decodeSync = Schema.decodeUnknownResult(SyncReport)

export const nodeQuestions = (options: {
  readonly ask: NatsAsk
  readonly subjects: Subjects
  readonly limits: Pick<ClientLimits, "askTimeoutMillis" | "askAgainMillis" | "graceMillis">
}): AllQuestions => {
  const { ask, limits, subjects } = options
  const question = <A>(
    verb: string,
    sent: {
      readonly body: object
      readonly timeoutMillis: number
      readonly againMillis: number
      readonly decode: (json: unknown) => Result.Result<A, unknown>
    },
    respond: (outcome: A | StoreError) => void
  ): void => {
    const { againMillis, body, decode, timeoutMillis } = sent
    ask.ask({
      nodes: [],
      subject: () => subjects.cluster(verb),
      body,
      timeoutMillis,
      pauseMillis: () => againMillis,
      decode
    }, respond)
  }
  const brief = { timeoutMillis: limits.askTimeoutMillis, againMillis: limits.askAgainMillis }
  return {
    describe: (respond) =>
      question("describe", { ...brief, body: {}, decode: decodeDescription }, respond),
    hints: (respond) => question("hints", { ...brief, body: {}, decode: decodeHints }, respond),
    status: (request, respond) => {
      const { timeoutMillis = lan.node.readTimeoutMillis } = request
      const waitMillis = timeoutMillis + limits.graceMillis
      const times = { timeoutMillis: waitMillis, againMillis: waitMillis }
      question("status", { ...times, body: { timeoutMillis }, decode: decodeStatus }, respond)
    },
    sync: ({ bucket, timeoutMillis = lan.node.syncMillis }, respond) => {
      const waitMillis = timeoutMillis + limits.graceMillis
      const body = { ...bucket === undefined ? {} : { bucket }, timeoutMillis }
      // Asked again, a second node would compare all of its documents, too.
      const times = { timeoutMillis: waitMillis, againMillis: waitMillis }
      question("sync", { ...times, body, decode: decodeSync }, respond)
    }
  }
}

const noNode = (setting: string) =>
  new InvalidRequest({ setting, value: "no node", expected: "a node to ask" })

/** The backend's own ways to ask, which answer an error where it has no node. */
export const questionsBy = (backend: Backend): Required<BackendQuestions> => ({
  sync: backend.sync ?? ((_, respond) => respond(noNode("sync"))),
  status: backend.status ?? ((_, respond) => respond(noNode("status"))),
  hints: backend.hints ?? ((respond) => respond(noNode("hints")))
})
