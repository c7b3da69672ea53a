/**
 * Checks a request against the knowledge of this node, before anything is sent: every fault of the
 * caller's is found here, and named.
 */
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import * as CausalContext from "../core/clock/CausalContext.ts"
import { invariant } from "../core/Invariant.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import { type DocumentKey, MalformedKey } from "../core/model/DocumentKey.ts"
import { decodeKey } from "../core/model/KeyFields.ts"
import type { NodeId } from "../core/model/Names.ts"
import type { OperationId } from "../core/operations/OperationId.ts"
import type { Claim } from "../core/operations/Proof.ts"
import * as Errors from "../core/model/StoreError.ts"
import * as Quorum from "../core/quorum/Quorum.ts"
import type { Buckets, KnownBucket } from "../core/strategy/Buckets.ts"
import { SchemaMismatch } from "../core/strategy/ValueCodec.ts"
import { rowKeyOf } from "../core/ring/Partition.ts"
import type { Request } from "./Request.ts"
import * as ValidatedCalls from "./ValidatedCalls.ts"

/** A valid read or write; every field is checked. */
export interface ValidatedRequest {
  readonly bucket: KnownBucket
  readonly key: DocumentKey
  readonly row: RowKey
  /** The context that the client brings, and the one that its session has seen. */
  readonly seen: CausalContext.CausalContext | undefined
  readonly after: CausalContext.CausalContext
  readonly merge: boolean
  /** Whether fallbacks stand in for primaries that do not answer. */
  readonly sloppy: boolean
  readonly timeoutMillis: number
}

export interface ValidatedRead extends ValidatedRequest {
  readonly needs: Quorum.ReadNeeds
}

export interface ValidatedWrite extends ValidatedRequest {
  readonly needs: Quorum.WriteNeeds
  readonly calls: ReadonlyArray<ValidatedCalls.ValidatedCall>
  readonly id: OperationId | undefined
  /** What the client knows of earlier sendings of this operation. */
  readonly claim: Claim
  /** Nodes tried that the client believes down. */
  readonly unreachable: ReadonlyArray<NodeId>
  readonly ifUnknown: "fail" | "apply"
  /** Whether it is answered with its document, however large that is. */
  readonly showsAlways: boolean
  /** Whether the other replicas must sync before they acknowledge. */
  readonly sync: boolean
}

/** A write whose operation has a name. */
export interface IdentifiedWrite extends ValidatedWrite {
  readonly id: OperationId
}

export const isIdentified = (write: ValidatedWrite): write is IdentifiedWrite =>
  write.id !== undefined

export interface ValidationOptions {
  readonly buckets: Buckets
  readonly partitionCount: number
  readonly seal: CausalContext.TokenSeal
  readonly readTimeoutMillis: number
  readonly writeTimeoutMillis: number
  /** Keys in a page of a listing that names no limit. */
  readonly pageKeys: number
  /** Operations of one edit. */
  readonly callsMax: number
  /** Contexts of one session that a request brings. */
  readonly contextsMax: number
}

/** A fault found on the way, carried to the top of this file and no further. */
class Fault extends Error {
  readonly error: Errors.StoreError
  constructor(error: Errors.StoreError) {
    super(error.message)
    this.error = error
  }
}

const fail = (error: Errors.StoreError): never => {
  throw new Fault(error)
}

const contextOf = (token: string, scope: CausalContext.TokenScope) => {
  const context = CausalContext.decode(token, scope)
  return typeof context === "string"
    ? fail(new Errors.BadContext({ bucket: scope.bucket, reason: context }))
    : context
}

const keyOf = (bucket: KnownBucket, json: unknown): DocumentKey => {
  try {
    return ValidatedCalls.keyOf(bucket, json)
  } catch (error) {
    if (!(error instanceof MalformedKey) && !(error instanceof SchemaMismatch)) throw error
    return fail(new Errors.InvalidKey({ bucket: bucket.definition.name, problem: error.message }))
  }
}

const bucketOf = (request: Request, options: ValidationOptions): KnownBucket => {
  const bucket = options.buckets.get(request.bucket)
  if (bucket === undefined) return fail(new Errors.UnknownBucket({ bucket: request.bucket }))
  const { fingerprint } = request.body
  if (fingerprint !== undefined && fingerprint !== bucket.fingerprint) {
    return fail(
      new Errors.BucketMismatch({
        bucket: request.bucket,
        expected: bucket.fingerprint,
        actual: fingerprint
      })
    )
  }
  return bucket
}

/** Refuses more of something than one request may have. */
const limited = (setting: string, count: number, max: number): void => {
  if (count <= max) return
  fail(new Errors.InvalidRequest({ setting, value: String(count), expected: `at most ${max}` }))
}

const commonOf = (request: Request, options: ValidationOptions): ValidatedRequest => {
  const { body } = request
  const bucket = bucketOf(request, options)
  const key = keyOf(bucket, body.key)
  const { bucket: name } = request
  const open = (token: string) => contextOf(token, { bucket: name, key, ...options.seal })
  limited("after", body.after?.length ?? 0, options.contextsMax)
  let after = CausalContext.nothing
  for (const token of body.after ?? []) after = CausalContext.join(after, open(token))
  return {
    bucket,
    key,
    row: rowKeyOf({ bucket: name, key, partitionCount: options.partitionCount }),
    seen: body.context === undefined ? undefined : open(body.context),
    after,
    merge: body.merge ?? false,
    sloppy: body.sloppy ?? true,
    timeoutMillis: body.timeoutMillis
      ?? (request.action === "read" ? options.readTimeoutMillis : options.writeTimeoutMillis)
  }
}

const refuse = ({ expected, setting, value }: Quorum.Unmeetable): never =>
  fail(new Errors.InvalidRequest({ setting, value: String(value), expected }))

const callsOf = (
  request: Request,
  bucket: KnownBucket,
  { callsMax }: ValidationOptions
): ReadonlyArray<ValidatedCalls.ValidatedCall> => {
  const { operations } = bucket.strategy
  const calls = request.body.calls ?? []
  if (calls.length === 0) {
    fail(
      new Errors.InvalidRequest({ setting: "calls", value: "empty", expected: "an operation" })
    )
  }
  limited("calls", calls.length, callsMax)
  return calls.map(({ args, name }, at) => {
    const operation = operations.get(name)
    const index = calls.length === 1 ? {} : { index: at }
    if (operation === undefined) {
      const known = [...operations.keys()]
      const unknown = { bucket: request.bucket, operation: name, known, ...index }
      return fail(new Errors.UnknownOperation(unknown))
    }
    const call = ValidatedCalls.callOf(bucket, operation, args)
    if (!isFault(call)) return call
    const { path, problem } = call
    const invalid = { bucket: request.bucket, path, problem, operation: name, ...index }
    return fail(new Errors.InvalidValue(invalid))
  })
}

const none: ReadonlyArray<never> = []

const identityOf = ({ ifUnknown = "fail", mark, operationId: id, tried }: RequestBody) => {
  if (tried === undefined) return { id, claim: { mark, tried: none }, unreachable: none, ifUnknown }
  return {
    id,
    claim: { mark, tried: tried.map((target) => ({ node: target.node, mark: target.mark })) },
    unreachable: tried.filter((target) => target.unreachable === true).map(({ node }) => node),
    ifUnknown
  }
}

const validated = <A>(make: () => A): A | Errors.StoreError => {
  try {
    return make()
  } catch (error) {
    if (error instanceof Fault) return error.error
    throw error
  }
}

/** Whether validation ended in an error: errors are the only ones with a tag. */
export const isFault = (outcome: object): outcome is Errors.StoreError => "_tag" in outcome

/** The request with its key and its operations in the form in which they were validated. */
export const normalRequest = (
  request: Request,
  validated: ValidatedRead | ValidatedWrite
): Request => {
  // Each node says for itself how much it takes of another.
  const { answerBytesMax: _max, args: _, ...body } = request.body
  const key = decodeKey(validated.bucket.definition.key, validated.key)
  invariant(key !== undefined, "a validated key has all fields of its bucket's keys")
  const calls = "calls" in validated ? { calls: validated.calls.map(ValidatedCalls.bodyOf) } : {}
  return { ...request, body: { ...body, key, ...calls } }
}

export const validateRead = (
  request: Request,
  options: ValidationOptions
): ValidatedRead | Errors.StoreError =>
  validated(() => {
    const common = commonOf(request, options)
    const { defaults, n } = common.bucket.definition
    const needs = Quorum.resolveRead({ n, bucket: defaults, request: request.body })
    return needs._tag === "Unmeetable" ? refuse(needs) : { ...common, needs }
  })

export const validateWrite = (
  request: Request,
  options: ValidationOptions
): ValidatedWrite | Errors.StoreError =>
  validated(() => {
    const common = commonOf(request, options)
    const { defaults, durability, n } = common.bucket.definition
    const needs = Quorum.resolveWrite({ n, durability, bucket: defaults, request: request.body })
    if (needs._tag === "Unmeetable") return refuse(needs)
    const calls = callsOf(request, common.bucket, options)
    // With one sync promised, the coordinator's own is it.
    const sync = durability === "synced" || needs.dw > 1
    const showsAlways = request.body.show === "always"
    const { claim, id, ifUnknown, unreachable } = identityOf(request.body)
    const { after, bucket, key, merge, row, seen, sloppy, timeoutMillis } = common
    return {
      bucket,
      key,
      row,
      seen,
      after,
      merge,
      sloppy,
      timeoutMillis,
      needs,
      calls,
      id,
      claim,
      unreachable,
      ifUnknown,
      showsAlways,
      sync
    }
  })
