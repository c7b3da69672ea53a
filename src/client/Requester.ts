/**
 * Turns a typed bucket's calls into requests, and answers into entries: the one place where
 * values cross between the application's types and JSON.
 */
import * as Duration from "effect/Duration"
import type { CallBody, RequestBody } from "../../schemas/ClientRequest.ts"
import type { ClusterDescription } from "../../schemas/ClusterDescription.ts"
import { differences } from "../core/model/DefinitionDifference.ts"
import { MalformedKey } from "../core/model/DocumentKey.ts"
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import { type ClientLimits, lan } from "../core/model/Limits.ts"
import * as Errors from "../core/model/StoreError.ts"
import type { Any } from "../core/strategy/Bucket.ts"
import { undecodable } from "../core/strategy/MergeFault.ts"
import { SchemaMismatch } from "../core/strategy/ValueCodec.ts"
import type { Backend } from "./Backend.ts"
import { type AnyEntry, entryOf, unshown } from "./AnsweredEntry.ts"
import type { Defaults, ReadOptions, WriteOptions } from "./Handle.ts"
import { nameFault } from "../core/model/WriteName.ts"
import { MisfitCall } from "./MisfitCall.ts"
import { operationInWords, placed } from "./PlacedError.ts"
import * as Session from "./Session.ts"
import { cancellable, pause } from "./Cancellable.ts"
import * as Task from "./Task.ts"

type Options = ReadOptions & WriteOptions

/** A request for one document, as its caller gives it. */
interface Call {
  readonly bucket: Any
  readonly key: unknown
  readonly options: Options | undefined
  /** The context of the document as the caller saw it. */
  readonly context: string | undefined
  /** Makes the operations of a write; a read has none. */
  readonly calls: (() => ReadonlyArray<CallBody>) | undefined
}

export interface Write extends Call {
  readonly calls: () => ReadonlyArray<CallBody>
}

type EntryTask = Task.Task<AnyEntry, Errors.StoreError>

/** A request's body while it is put together. */
type Draft = { -readonly [Field in keyof RequestBody]: RequestBody[Field] }

const addSettings = (draft: Draft, options: Options): void => {
  const { consistency, dw, pr, pw, r, sloppy, timeout, w } = options
  if (consistency !== undefined) draft.consistency = consistency
  if (r !== undefined) draft.r = r
  if (pr !== undefined) draft.pr = pr
  if (w !== undefined) draft.w = w
  if (pw !== undefined) draft.pw = pw
  if (dw !== undefined) draft.dw = dw
  if (sloppy !== undefined) draft.sloppy = sloppy
  if (timeout !== undefined) draft.timeoutMillis = Duration.toMillis(timeout)
}

/** A request and a bucket that say something themselves have it their own way. */
const addDefaults = (draft: Draft, bucket: Any, { consistency, timeout }: Defaults): void => {
  if (timeout !== undefined) draft.timeoutMillis ??= Duration.toMillis(timeout)
  if (consistency === undefined || Object.keys(bucket.definition.defaults).length > 0) return
  draft.consistency ??= consistency
}

export type RequesterLimits = Pick<
  ClientLimits,
  "manyMax" | "manyTriesMax" | "sessionDocumentsMax"
>

/** One client's way to its backend, and its session. */
export class Requester {
  readonly limits: RequesterLimits
  readonly #backend: Backend
  readonly #session: Session.Session
  /** That of the client, or of the session in which this one began. */
  readonly #parent: Requester | undefined
  /**
   * Ends what is under way once its requester has: requests, and pauses before reads are tried
   * again, of the client and of all its sessions.
   */
  readonly #underWay: Map<() => void, Requester>
  readonly #defaults: Defaults
  #isClosed = false

  constructor(
    backend: Backend,
    session: Session.Session,
    limits: RequesterLimits = lan.client,
    parent?: Requester,
    defaults: Defaults = {}
  ) {
    this.#defaults = defaults
    this.limits = limits
    this.#backend = backend
    this.#session = session
    this.#parent = parent
    this.#underWay = parent === undefined ? new Map() : parent.#underWay
  }

  /** A requester on the same backend whose reads never go back. */
  inSession(): Requester {
    const session = Session.make(this.limits.sessionDocumentsMax)
    return new Requester(this.#backend, session, this.limits, this, this.#defaults)
  }

  /**
   * Fails each call that is under way, and each from now on; of a session that began here too. A
   * backend that says more of the calls under way is closed before.
   */
  close(): void {
    this.#isClosed = true
    for (const [end, requester] of this.#underWay) if (requester.#ended !== undefined) end()
  }

  /** Which of the two was closed; undefined while it takes calls. */
  get #ended(): "client" | "session" | undefined {
    const parent = this.#parent
    const ended = parent === undefined ? undefined : parent.#ended
    if (ended !== undefined || !this.#isClosed) return ended
    return parent === undefined ? "client" : "session"
  }

  #closed(mayHaveApplied: boolean): Errors.Closed {
    return new Errors.Closed({ closed: this.#ended ?? "client", mayHaveApplied })
  }

  read(bucket: Any, key: unknown, options: ReadOptions | undefined): EntryTask {
    return this.#request({ bucket, key, options, context: undefined, calls: undefined })
  }

  /** One of many reads, whose number is no reason to refuse them: each has the time it takes. */
  readOfMany(bucket: Any, key: unknown, options: ReadOptions | undefined): EntryTask {
    const task = this.read(bucket, key, options)
    const { runtime } = this.#backend
    let tries = 0
    return (succeed, fail, die, trace) => {
      let cancel: Task.Cancel | void
      const read = (): void => {
        cancel = task(
          succeed,
          (error) => {
            const isOver = error._tag !== "Overloaded" || ++tries >= this.limits.manyTriesMax
            if (isOver) return fail(error)
            const millis = error.retryAfterMillis * (0.5 + runtime.random())
            const paused = pause({ runtime, millis, signal: options?.signal }, () => {
              this.#underWay.delete(paused.resume)
              read()
            })
            this.#underWay.set(paused.resume, this)
            cancel = () => {
              paused.stop()
              this.#underWay.delete(paused.resume)
              fail(new Errors.Cancelled({ mayHaveApplied: false }))
            }
          },
          die,
          trace
        )
      }
      read()
      return () => cancel?.()
    }
  }

  write(write: Write): EntryTask {
    return this.#request(write)
  }

  #request(call: Call): EntryTask {
    return (succeed, fail, die, trace) => {
      if (this.#ended !== undefined) return fail(this.#closed(false))
      const { bucket, key } = call
      const action = call.calls === undefined ? "read" : "write"
      const fault = action === "read" ? undefined : namingFault(call.options)
      if (fault !== undefined) return fail(fault)
      let document: string
      let body: RequestBody
      try {
        const { json, text } = keyOf(bucket, key)
        // Without a session no document is remembered, and none needs a name.
        document = this.#session === Session.none ? "" : `${bucket.name} ${text}`
        if (!this.#session.hasRoom(document)) return fail(sessionFull(this.limits))
        body = this.#bodyOf(call, json, this.#session.contexts(document))
      } catch (thrown) {
        const error = refusal(bucket.name, thrown)
        return error === undefined ? die(thrown) : this.#fail(call, undefined, error, fail)
      }
      const unnamed = { action, bucket: bucket.definition.name, body, trace } as const
      const id = action === "read" ? undefined : call.options?.id
      const named = id === undefined ? unnamed : { ...unnamed, id }
      let cancel: Task.Cancel | void
      const end = (): void => cancel?.()
      this.#underWay.set(end, this)
      cancel = cancellable(this.#backend, named, call.options?.signal, (outcome) => {
        this.#underWay.delete(end)
        if (outcome._tag !== "Answer") {
          const isEnded = outcome._tag === "Cancelled" && this.#ended !== undefined
          const error = isEnded ? this.#closed(outcome.mayHaveApplied) : outcome
          return this.#fail(call, body, error, fail)
        }
        const isUnshown = outcome.unshown === true
        if (isUnshown && action === "read") return this.#fail(call, body, withoutValue(), fail)
        this.#session.saw(document, { context: outcome.context, covers: body.after ?? [] })
        let entry: AnyEntry
        try {
          entry = isUnshown ? unshown(bucket, key, outcome) : entryOf(bucket, key, outcome)
        } catch (thrown) {
          // A merge is the application's: its fault must not stop what brings the answer.
          const fault = undecodable(bucket.name, thrown)
          if (action === "read") return this.#fail(call, body, fault, fail)
          // The write is done: that it cannot be shown is for the next read to say.
          entry = unshown(bucket, key, outcome)
        }
        succeed(entry)
      })
      return cancel
    }
  }

  /** Fails with the error, which says of which request it is. */
  #fail(
    { bucket, calls, key }: Call,
    body: RequestBody | undefined,
    error: Errors.StoreError,
    fail: (error: Errors.StoreError) => void
  ): void {
    const unknown = calls === undefined ? "get" : "write"
    const operation = body === undefined ? unknown : operationInWords(body.calls)
    const place = { bucket: bucket.name, key, operation }
    if (error._tag !== "BucketMismatch") return fail(placed(error, place))
    // The nodes know fingerprints alone; the definitions tell people more.
    this.#backend.describe((cluster) => fail(placed(differing(error, bucket, cluster), place)))
  }

  /** Throws where an operation's arguments are refused. */
  #bodyOf(call: Call, key: RequestBody["key"], covers: ReadonlyArray<string>): RequestBody {
    const { bucket: { fingerprint }, calls, context, options } = call
    const draft: Draft = calls === undefined
      ? { key, fingerprint }
      : { key, fingerprint, calls: calls() }
    if (context !== undefined) draft.context = context
    if (covers.length > 0) draft.after = covers
    if (options !== undefined) addSettings(draft, options)
    addDefaults(draft, call.bucket, this.#defaults)
    const ifUnknown = options?.ifUnknown ?? this.#defaults.ifUnknown
    if (calls !== undefined && ifUnknown !== undefined) draft.ifUnknown = ifUnknown
    if (calls !== undefined && options?.show !== undefined) draft.show = options.show
    return draft
  }
}

/** The error with the differences, where the nodes tell their definition. */
const differing = (
  error: Errors.BucketMismatch,
  { definition, name }: Any,
  cluster: ClusterDescription | Errors.StoreError
): Errors.BucketMismatch => {
  if (cluster instanceof Error) return error
  const there = cluster.buckets.find((bucket) => bucket.definition.name === name)
  const differs = there === undefined ? [] : differences(definition, there.definition)
  const { actual, bucket, expected } = error
  return differs.length === 0
    ? error
    : new Errors.BucketMismatch({ bucket, expected, actual, differs })
}

/** Why a write's name, its choice where nobody can tell, or what it is to show is none. */
const namingFault = (options: WriteOptions | undefined): Errors.InvalidRequest | undefined => {
  const id = options?.id
  const fault = id === undefined ? undefined : nameFault(id)
  if (fault !== undefined) return fault
  const value: string | undefined = options?.ifUnknown
  if (value !== undefined && value !== "fail" && value !== "apply") {
    return new Errors.InvalidRequest({ setting: "ifUnknown", value, expected: "fail or apply" })
  }
  const show: string | undefined = options?.show
  if (show === undefined || show === "small" || show === "always") return undefined
  return new Errors.InvalidRequest({ setting: "show", value: show, expected: "small or always" })
}

const sessionFull = ({ sessionDocumentsMax }: RequesterLimits) =>
  new Errors.InvalidRequest({
    setting: "session",
    value: `${sessionDocumentsMax} documents`,
    expected: "a new session for more"
  })

/** A key as JSON, and its canonical text. A fault in it is not one in a value. */
const keyOf = (
  bucket: Any,
  key: unknown
): { readonly json: RequestBody["key"]; readonly text: string } => {
  try {
    const json = bucket.key.codec.encode(key)
    return { json, text: CanonicalJson.encode(json) }
  } catch (thrown) {
    if (!isRefusal(thrown)) throw thrown
    throw new MalformedKey(`${thrown.path}: ${thrown.problem}`)
  }
}

const isRefusal = (thrown: unknown): thrown is SchemaMismatch | CanonicalJson.InvalidJson =>
  thrown instanceof SchemaMismatch || thrown instanceof CanonicalJson.InvalidJson

const callFields = (thrown: object): { readonly operation?: string; readonly index?: number } => {
  if (!(thrown instanceof MisfitCall)) return {}
  const { index, operation } = thrown.place
  return index === undefined ? { operation } : { operation, index }
}

/** The error that names a fault in the caller's key or value; undefined for any other fault. */
const refusal = (bucket: string, thrown: unknown): Errors.StoreError | undefined => {
  if (isRefusal(thrown)) {
    const { path, problem } = thrown
    return new Errors.InvalidValue({ bucket, path, problem, ...callFields(thrown) })
  }
  if (thrown instanceof MalformedKey) {
    return new Errors.InvalidKey({ bucket, problem: thrown.message })
  }
  return undefined
}

/** No node answers a read so. */
const withoutValue = () =>
  new Errors.NoAnswer({ reason: "a read is answered without its value", mayHaveApplied: false })
