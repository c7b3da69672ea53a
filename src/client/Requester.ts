/**
 * Turns a typed bucket's calls into requests, and answers into entries: the one place where
 * values cross between the application's types and JSON.
 */
import * as Duration from "effect/Duration"
import type { CallBody, RequestBody } from "../../schemas/ClientRequest.ts"
import { MalformedKey } from "../core/model/DocumentKey.ts"
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { Any } from "../core/strategy/Bucket.ts"
import { SchemaMismatch } from "../core/strategy/ValueCodec.ts"
import type { Backend, BackendAnswer, BackendRequest } from "./Backend.ts"
import { contextOf, type Entry } from "./Entry.ts"
import type { ReadOptions, WriteOptions } from "./Handle.ts"
import * as Session from "./Session.ts"
import * as Task from "./Task.ts"

type Options = ReadOptions & WriteOptions

/** A write: its operations, and the context of what it has seen. */
export interface Write {
  readonly calls: ReadonlyArray<CallBody>
  readonly context: string | undefined
  readonly options: Options | undefined
}

type AnyEntry = Entry<string, any, any>
type EntryTask = Task.Task<AnyEntry, Errors.StoreError>

const settingsOf = (options: Options | undefined): Partial<RequestBody> => {
  if (options === undefined) return {}
  const { consistency, dw, pr, pw, r, timeout, w } = options
  return {
    ...(consistency === undefined ? {} : { consistency }),
    ...(r === undefined ? {} : { r }),
    ...(pr === undefined ? {} : { pr }),
    ...(w === undefined ? {} : { w }),
    ...(pw === undefined ? {} : { pw }),
    ...(dw === undefined ? {} : { dw }),
    ...(timeout === undefined ? {} : { timeoutMillis: Duration.toMillis(timeout) })
  }
}

/** One client's way to its backend: its session, and the ids of its operations. */
export class Requester {
  readonly #backend: Backend
  readonly #session: Session.Session
  readonly #name: string
  #sequence = 0

  constructor(backend: Backend, session: Session.Session) {
    this.#backend = backend
    this.#session = session
    this.#name = backend.runtime.id()
  }

  /** A requester on the same backend whose reads never go back. */
  inSession(): Requester {
    return new Requester(this.#backend, Session.make())
  }

  read(bucket: Any, key: unknown, options: ReadOptions | undefined): EntryTask {
    return this.#request(bucket, key, "read", () => settingsOf(options))
  }

  write(bucket: Any, key: unknown, make: () => Write): EntryTask {
    return this.#request(bucket, key, "write", () => {
      const { calls, context, options } = make()
      const at = Math.floor(this.#backend.runtime.now())
      return {
        ...settingsOf(options),
        ...(context === undefined ? {} : { context }),
        calls,
        operationId: { session: this.#name, sequence: ++this.#sequence, at }
      }
    })
  }

  #request(
    bucket: Any,
    key: unknown,
    action: BackendRequest["action"],
    make: () => Partial<RequestBody>
  ): EntryTask {
    return Task.attempt(() => {
      const { json, text } = keyOf(bucket, key)
      const document = `${bucket.name} ${text}`
      if (!this.#session.hasRoom(document)) return Task.failed(sessionFull())
      const covers = this.#session.contexts(document)
      const { fingerprint } = bucket
      const body: RequestBody = {
        ...make(),
        key: json,
        fingerprint,
        ...(covers.length === 0 ? {} : { after: covers })
      }
      const sent = this.#send({ action, bucket: bucket.definition.name, body })
      return Task.andThen(sent, (answer) => {
        this.#session.saw(document, { context: answer.context, covers })
        return entryOf(bucket, key, answer)
      })
    }, (thrown) => refusal(bucket.name, thrown))
  }

  #send(request: BackendRequest): Task.Task<BackendAnswer, Errors.StoreError> {
    return (done, fail) =>
      this.#backend.request(request, (outcome) => {
        if (outcome._tag === "Answer") done(outcome)
        else fail(outcome)
      })
  }
}

const sessionFull = () =>
  new Errors.InvalidRequest({
    setting: "session",
    value: `${Session.documentsMax} documents`,
    expected: "a new session for more"
  })

/** A key as JSON, and its canonical text. A fault in it is not one in a value. */
const keyOf = (
  bucket: Any,
  key: unknown
): { readonly json: RequestBody["key"]; readonly text: string } => {
  try {
    const json = bucket.key.toJson(key)
    return { json, text: CanonicalJson.encode(json) }
  } catch (thrown) {
    if (!isRefusal(thrown)) throw thrown
    throw new MalformedKey(`${thrown.path}: ${thrown.problem}`)
  }
}

const isRefusal = (thrown: unknown): thrown is SchemaMismatch | CanonicalJson.InvalidJson =>
  thrown instanceof SchemaMismatch || thrown instanceof CanonicalJson.InvalidJson

/** What the caller gave that cannot be sent, as the error that names it. */
const refusal = (bucket: string, thrown: unknown): Errors.StoreError | undefined => {
  if (isRefusal(thrown)) {
    const { path, problem } = thrown
    return new Errors.InvalidValue({ bucket, path, problem })
  }
  if (thrown instanceof MalformedKey) {
    return new Errors.InvalidKey({ bucket, problem: thrown.message })
  }
  return undefined
}

const entryOf = (bucket: Any, key: unknown, answer: BackendAnswer): EntryTask => {
  const seen = {
    bucket: bucket.name,
    key,
    context: contextOf(bucket, answer.context),
    replied: answer.replied
  }
  const { siblings, values } = answer
  if (values.length === 0) return Task.succeed({ _tag: "Absent", ...seen })
  return Task.attempt(
    () => Task.succeed({ _tag: "Found", ...seen, value: bucket.decodeView(values), siblings }),
    (thrown) => {
      // A merge is the application's, and its fault must not stop who brings the answer.
      const { path, problem } = thrown instanceof SchemaMismatch
        ? thrown
        : { path: "$", problem: `its merge fails: ${String(thrown)}` }
      return new Errors.Undecodable({ bucket: bucket.name, path, problem })
    }
  )
}
