/**
 * Declares the problems that the routes of the HTTP interface answer, each with its status.
 */
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import { Problem, problemContentType } from "./Problem.ts"

/** A problem with this status, under its own name in the OpenAPI document. */
const problem = (status: number, identifier: string, description: string) =>
  Problem.annotate({ identifier, description }).pipe(
    HttpApiSchema.status(status),
    HttpApiSchema.asJson({ contentType: problemContentType })
  )

const badRequest = problem(
  400,
  "BadRequest",
  "The key, a setting, the context or the JSON is not one"
)
export const noAccess = problem(
  401,
  "NoAccess",
  "This node asks for a token, and the request brings none that it accepts"
)
const denied = problem(
  403,
  "Denied",
  "The request comes from a page of another site, or its caller has no right to what it asks for"
)
export const unknownBucket = problem(404, "UnknownBucket", "There is no such bucket")
const notFound = problem(
  404,
  "NotFound",
  "There is no such bucket or operation, or nothing under this key"
)
export const notWritable = problem(
  405,
  "NotWritable",
  "The bucket has operations instead: `known` names them"
)
const tooSlow = problem(408, "TooSlow", "The request did not come whole in time")
const conflict = problem(
  409,
  "Conflict",
  "The bucket is declared otherwise here, the context is too old, or nobody can tell whether the "
    + "operation was applied"
)
export const tooLarge = problem(413, "TooLarge", "The body is larger than 1 MiB")
const wrongHost = problem(
  421,
  "WrongHost",
  "This node does not answer under the host that the request names"
)
const headersTooLarge = problem(
  431,
  "HeadersTooLarge",
  "The headers are larger than 16 KiB; `POST .../read` and `.../write` carry contexts in bodies"
)
const notJson = problem(
  415,
  "NotJson",
  "The body is not application/json, or the request has a content-encoding"
)
const invalidValue = problem(
  422,
  "InvalidValue",
  "The bucket does not take this value; `path` says where"
)
export const contextRequired = problem(
  428,
  "ContextRequired",
  "Siblings are deleted with the context of a read"
)
const failed = problem(500, "Failed", "A stored value cannot be read, or the node is at fault")
const unavailable = problem(
  503,
  "Unavailable",
  "Too few replicas answered, or this node takes no requests now: `retry-after` says for how long"
)
export const notReady = problem(
  503,
  "NotReady",
  "No requests should come here now: `reasons` says why"
)

/** Of every request, before anything is asked of the node. */
export const always = [
  badRequest,
  denied,
  tooSlow,
  notJson,
  wrongHost,
  headersTooLarge,
  failed
] as const
/** Of those that need a token and give way to others. */
export const asking = [...always, noAccess, unavailable] as const
export const reading = [...asking, notFound, conflict] as const
export const writing = [...reading, tooLarge, invalidValue] as const
