/**
 * Asks any node over NATS to compare its documents with those of all others.
 */
import * as Schema from "effect/Schema"
import { SyncReport } from "../../schemas/SyncReport.ts"
import { lan } from "../core/model/Limits.ts"
import { InvalidRequest } from "../core/model/StoreError.ts"
import type { Backend, BackendSync } from "./Backend.ts"
import type { Question } from "./NatsAsk.ts"

const decode = Schema.decodeUnknownResult(SyncReport)

export const syncQuestion = (
  { bucket, timeoutMillis = lan.node.syncMillis }: BackendSync,
  { graceMillis, subject }: { readonly graceMillis: number; readonly subject: string }
): Question<SyncReport> => {
  const waitMillis = timeoutMillis + graceMillis
  return {
    nodes: [],
    subject: () => subject,
    body: { ...bucket === undefined ? {} : { bucket }, timeoutMillis },
    timeoutMillis: waitMillis,
    // Asked again, a second node would compare all of its documents, too.
    pauseMillis: () => waitMillis,
    decode
  }
}

/** The backend's own way to ask, or an error where it has no node. */
export const syncBy = ({ sync }: Backend): Required<Backend>["sync"] =>
  sync
    ?? ((_, respond) =>
      respond(new InvalidRequest({ setting: "sync", value: "no node", expected: "a node to ask" })))
