/**
 * Defines the HTTP interface, version 1 by its paths: routes, what they take, what they answer. The
 * server, its checks and its OpenAPI document all come from this one value.
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { nameExpected, namePattern } from "../src/core/model/WriteName.ts"
import { Consistency, Replicas } from "../src/core/model/Settings.ts"
import { AnswerBody } from "./ClientAnswer.ts"
import { CallBody, RequestBody } from "./ClientRequest.ts"
import { BucketBody, ClusterDescription } from "./ClusterDescription.ts"
import { ClusterStatus } from "./ClusterStatus.ts"
import { Explanation } from "./Explanation.ts"
import {
  always,
  asking,
  contextRequired,
  noAccess,
  notReady,
  notWritable,
  reading,
  tooLarge,
  unknownBucket,
  writing
} from "./HttpProblems.ts"
import { HintReport } from "./HintReport.ts"
import { KeyPage, pageMax } from "./KeyPage.ts"
import { SyncReport } from "./SyncReport.ts"

const describe = <S extends Schema.Top>(schema: S, description: string) =>
  schema.annotate({ description })

const replicas = (description: string) => {
  const expected = "one, quorum, all, or a number"
  const text = Schema.String.check(
    Schema.isPattern(/^(?:one|quorum|all|[0-9]{1,2})$/u, { description, expected })
  )
  return Schema.optionalKey(text.pipe(Schema.decodeTo(Replicas, {
    decode: SchemaGetter.transform((word) =>
      word === "one" || word === "quorum" || word === "all" ? word : Number(word)
    ),
    encode: SchemaGetter.transform(String)
  })))
}

const timeout = Schema.optionalKey(describe(
  Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 60_000 })),
  "Milliseconds until the node gives up"
))

const keyQuery = {
  key: describe(Schema.String, "The key; where it has several fields, a JSON object of them")
}

const siblings = Schema.optionalKey(describe(
  Schema.Boolean,
  "Whether to answer all concurrent values, even where the node could merge them"
))

const sloppy = Schema.optionalKey(describe(
  Schema.Boolean,
  "Whether other nodes may stand in for owners that cannot be reached: `true` unless given"
))

const common = {
  ...keyQuery,
  consistency: Schema.optionalKey(Consistency),
  sloppy,
  timeout
}

const ReadQuery = {
  ...common,
  r: replicas("How many replicas answer"),
  pr: replicas("How many of them are primaries")
}

const WriteQuery = {
  ...common,
  siblings,
  show: Schema.optionalKey(describe(
    Schema.Literals(["small", "always"]),
    "Whether the answer holds the document: `small`, the default, where it is small; `always` also "
      + "where it is large, else `Everwrite-Unshown` stands in its place"
  )),
  w: replicas("How many replicas acknowledge"),
  pw: replicas("How many of them are primaries"),
  dw: replicas("How many of them have it on disk")
}

const sessionHeaders = {
  "everwrite-after": Schema.optionalKey(describe(
    Schema.String,
    "Contexts that the answer must cover, separated by commas: those of the session"
  )),
  "everwrite-fingerprint": Schema.optionalKey(describe(
    Schema.String,
    "The caller's declaration of the bucket; another one here is refused"
  ))
}

const readHeaders = {
  ...sessionHeaders,
  "if-none-match": Schema.optionalKey(describe(
    Schema.String,
    "Tags of answers that the caller has, as `ETag` gave them: 304 where one is that of now"
  ))
}

const writeHeaders = {
  ...sessionHeaders,
  "everwrite-context": Schema.optionalKey(describe(
    Schema.String,
    "The context of the read that this write follows"
  )),
  "idempotency-key": Schema.optionalKey(describe(
    Schema.String.check(Schema.isPattern(namePattern, { expected: nameExpected })),
    "Names the write: a second one of the same name is answered and not applied"
  )),
  "everwrite-if-unknown": Schema.optionalKey(describe(
    Schema.Literals(["fail", "apply"]),
    "What to do where nobody can tell whether a named write was applied before: fail (409) by "
      + "default; apply may count it twice"
  ))
}

const answerHeaders = {
  "everwrite-context": Schema.optionalKey(
    describe(Schema.String, "For the next write of this document")
  ),
  "everwrite-context-omitted": Schema.optionalKey(describe(
    Schema.Int,
    "There in place of a context that is too large for a header: its bytes. `POST .../read` and "
      + "`.../write` carry contexts in bodies"
  )),
  "everwrite-replied": describe(Schema.Int, "Replicas that had answered"),
  "everwrite-siblings": Schema.optionalKey(
    describe(Schema.Int, "There where the body is {\"siblings\":[...]}: how many there are")
  ),
  "everwrite-lost": Schema.optionalKey(describe(
    Schema.Literal("true"),
    "There where the session has seen what no node has any more; it is told once"
  )),
  "everwrite-unshown": Schema.optionalKey(describe(
    Schema.Literal("true"),
    "There where a write is done, and its document is not shown: it is larger than `show` asks "
      + "for, or it cannot be, and a read says why"
  )),
  "everwrite-merged": Schema.optionalKey(
    describe(Schema.Int, "There where the body was merged: of how many siblings")
  )
}

const readAnswerHeaders = {
  ...answerHeaders,
  etag: Schema.optionalKey(
    describe(Schema.String, "Changes with the value and with the context; for `If-None-Match`")
  )
}

const Siblings = Schema.Struct({ siblings: Schema.Array(Schema.Json) })

const found = HttpApiSchema.WithHeaders(
  describe(Schema.Json, "The value, or {\"siblings\":[...]} where several were not merged"),
  answerHeaders
)
const nothingLeft = HttpApiSchema.WithHeaders(
  HttpApiSchema.NoContent.annotate({ description: "Done, and nothing is left under this key" }),
  answerHeaders
)

const read = HttpApiSchema.WithHeaders(found.schema, readAnswerHeaders)
const notModified = HttpApiSchema.WithHeaders(
  HttpApiSchema.Empty(304).annotate({ description: "The caller has what would be shown" }),
  readAnswerHeaders
)

const bucketParams = { bucket: Schema.String }
const docs = "/v1/buckets/:bucket/docs"

const summary = (text: string) => OpenApi.annotations({ summary: text })

class Documents extends HttpApiGroup.make("documents").add(
  HttpApiEndpoint.get("get", docs, {
    params: bucketParams,
    query: { ...ReadQuery, siblings },
    headers: readHeaders,
    success: [read, notModified],
    error: reading
  }).annotateMerge(summary("Read a document")),
  HttpApiEndpoint.put("put", docs, {
    params: bucketParams,
    query: WriteQuery,
    headers: writeHeaders,
    payload: Schema.Json,
    success: found,
    error: [...writing, notWritable]
  }).annotateMerge(summary("Write a value; with a context, in place of the values seen")),
  HttpApiEndpoint.delete("delete", docs, {
    params: bucketParams,
    query: WriteQuery,
    headers: writeHeaders,
    success: [nothingLeft, found],
    error: [...reading, contextRequired]
  }).annotateMerge(summary("Delete a document")),
  HttpApiEndpoint.post("operate", `${docs}/ops/:operation`, {
    params: { ...bucketParams, operation: Schema.String },
    query: WriteQuery,
    headers: writeHeaders,
    payload: [
      describe(
        Schema.Union([Schema.Array(CallBody), Schema.Array(Schema.Json)]),
        "The operation's arguments; for `edit`, operations to apply as one change"
      )
    ],
    success: [found, nothingLeft],
    error: [...writing, contextRequired]
  }).annotateMerge(summary("Apply an operation of the bucket's type")),
  HttpApiEndpoint.get("siblings", "/v1/buckets/:bucket/siblings", {
    params: bucketParams,
    query: ReadQuery,
    headers: readHeaders,
    success: [HttpApiSchema.WithHeaders(Siblings, readAnswerHeaders), notModified],
    error: reading
  }).annotateMerge(summary("Read all concurrent values of a document"))
) {}

/** The requests of NATS, over HTTP: settings, contexts and values are all in the body. */
class Requests extends HttpApiGroup.make("requests").add(
  HttpApiEndpoint.post("read", "/v1/buckets/:bucket/read", {
    params: bucketParams,
    payload: RequestBody,
    success: AnswerBody,
    error: [...reading, tooLarge]
  }).annotateMerge(summary("Read a document, for programs: contexts of any size in the bodies")),
  HttpApiEndpoint.post("write", "/v1/buckets/:bucket/write", {
    params: bucketParams,
    payload: RequestBody,
    success: AnswerBody,
    error: writing
  }).annotateMerge(summary("Carry out operations, for programs: contexts in the bodies"))
) {}

const Limit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: pageMax }))

class Buckets extends HttpApiGroup.make("buckets").add(
  HttpApiEndpoint.get("list", "/v1/buckets", {
    success: Schema.Struct({ buckets: Schema.Array(BucketBody) }),
    error: asking
  }).annotateMerge(summary("List the buckets that this node serves")),
  HttpApiEndpoint.get("describe", "/v1/buckets/:bucket", {
    params: bucketParams,
    success: BucketBody,
    error: [...asking, unknownBucket]
  }).annotateMerge(summary("Describe a bucket and its operations")),
  HttpApiEndpoint.get("keys", "/v1/buckets/:bucket/keys", {
    params: bucketParams,
    query: {
      after: Schema.optionalKey(describe(Schema.String, "The `next` of the page before")),
      limit: Schema.optionalKey(describe(Limit, "Most keys in the page; 100 unless said")),
      partial: Schema.optionalKey(
        describe(Schema.Boolean, "Whether a page is welcome that lacks unreachable partitions")
      ),
      timeout
    },
    success: KeyPage,
    error: [...asking, unknownBucket]
  }).annotateMerge(summary("List a page of a bucket's keys, in no order of their own"))
) {}

class Cluster extends HttpApiGroup.make("cluster").add(
  HttpApiEndpoint.get("describe", "/v1/cluster", {
    success: ClusterDescription,
    error: asking
  }).annotateMerge(summary("Describe the cluster: its members, ring and buckets")),
  HttpApiEndpoint.get("explain", "/v1/explain", {
    query: { bucket: Schema.String, ...keyQuery, timeout },
    success: Explanation,
    error: [...asking, unknownBucket]
  }).annotateMerge(summary("Show the state of a document at every replica")),
  HttpApiEndpoint.post("sync", "/v1/sync", {
    query: {
      bucket: Schema.optionalKey(describe(Schema.String, "The one bucket; all unless said")),
      timeout
    },
    success: SyncReport,
    error: [...asking, unknownBucket]
  }).annotateMerge(summary("Compare this node's documents with all others' now, and repair both")),
  HttpApiEndpoint.get("hints", "/v1/hints", {
    success: HintReport,
    error: asking
  }).annotateMerge(summary("Tell what this node keeps for other nodes, until they are back")),
  HttpApiEndpoint.get("status", "/v1/status", {
    query: { timeout },
    success: ClusterStatus,
    error: asking
  }).annotateMerge(summary("Ask each node for its state: whom it sees, and what it keeps for whom"))
) {}

/** The text format of Prometheus. */
export const metricsContentType = "text/plain; version=0.0.4; charset=utf-8"

class Node extends HttpApiGroup.make("node").add(
  HttpApiEndpoint.get("live", "/livez", {
    success: Schema.String.pipe(HttpApiSchema.asText()),
    error: always
  }).annotateMerge(summary("Whether the process works")),
  HttpApiEndpoint.get("ready", "/readyz", {
    success: Schema.String.pipe(HttpApiSchema.asText()),
    error: [...always, notReady]
  }).annotateMerge(summary("Whether requests should come here")),
  HttpApiEndpoint.get("metrics", "/metrics", {
    success: Schema.String.pipe(HttpApiSchema.asText({ contentType: metricsContentType })),
    error: [...always, noAccess]
  }).annotateMerge(summary("Counts of this node, for Prometheus"))
) {}

export class Api extends HttpApi.make("everwrite").add(Documents, Requests, Buckets, Cluster, Node)
  .annotateMerge(OpenApi.annotations({
    title: "Everwrite",
    version: "1",
    description: "An always-writable, CRDT-aware document store"
  }))
{}
