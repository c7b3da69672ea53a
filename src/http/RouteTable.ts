/**
 * Refuses requests that ask for more than their route can do: a parameter or header that it does
 * not have, a condition, a method that the path does not have. Ignored, a misspelt setting would
 * leave a write at its bucket's defaults, and a condition would overwrite what it was to keep.
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as FindMyWay from "effect/http/FindMyWay"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { Api } from "../../schemas/HttpApi.ts"
import { namesText, nearestName } from "../core/model/NearestName.ts"
import { operationLengthMax } from "../core/model/OperationName.ts"
import { InvalidRequest } from "../core/model/StoreError.ts"
import { problem, problemResponse } from "./Answers.ts"

type Request = Pick<HttpServerRequest, "headers" | "method" | "url">

/** The names that a request of one route may bring. */
interface Route {
  readonly parameters: ReadonlyArray<string>
  readonly headers: ReadonlyArray<string>
}

const namesOf = (fields: Schema.Top | undefined): ReadonlyArray<string> =>
  fields !== undefined && SchemaAST.isObjects(fields.ast)
    ? fields.ast.propertySignatures.map(({ name }) => String(name))
    : []

const methods = ["GET", "PUT", "POST", "DELETE"]

/** The router finds these by the rules of the one that carries the requests out. */
const routerOf = (): FindMyWay.Router<Route> => {
  const router = FindMyWay.make<Route>({ maxParamLength: operationLengthMax })
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint: { headers, method, path, query } }) =>
      router.on(method, `/${path.slice(1)}`, {
        parameters: namesOf(query),
        headers: namesOf(headers)
      })
  })
  for (const path of ["/", "/docs", "/openapi.json"] as const) {
    router.on("GET", path, { parameters: [], headers: [] })
  }
  return router
}

/** Headers that this interface gives a meaning, where a route has them. */
const ownHeader = /^(?:everwrite-.*|idempotency-key)$/u

const unknownName = (name: string, kind: string, known: ReadonlyArray<string>): InvalidRequest => {
  const all = known.length === 0 ? "none" : namesText(known)
  const expected = nearestName(name, known) ?? all
  const shown = name.slice(0, 80)
  return new InvalidRequest({ setting: shown, value: `no ${kind} of this request`, expected })
}

const conditions = ["if-match", "if-none-match", "if-unmodified-since", "if-modified-since"]

/** A read may leave out the date: without one of the document it says nothing. */
const readConditions = ["if-match", "if-unmodified-since"]

const conditionFault = ({ headers, method }: Request): InvalidRequest | undefined => {
  const isRead = method === "GET" || method === "HEAD"
  const setting = (isRead ? readConditions : conditions).find((name) => headers[name] !== undefined)
  if (setting === undefined) return undefined
  const expected = isRead
    ? "none of a read but if-none-match"
    : "none, since writes have no conditions: the context of a read, sent as Everwrite-Context, "
      + "makes a write replace the values that were read and no others"
  return new InvalidRequest({ setting, value: "a condition", expected })
}

const parameterFault = ({ url }: Request, { parameters }: Route): InvalidRequest | undefined => {
  const at = url.indexOf("?")
  const given = at === -1 ? [] : [...new URLSearchParams(url.slice(at + 1)).keys()]
  const unknown = given.find((name) => !parameters.includes(name))
  return unknown === undefined ? undefined : unknownName(unknown, "parameter", parameters)
}

const headerFault = ({ headers }: Request, route: Route): InvalidRequest | undefined => {
  const unknown = Object.keys(headers)
    .find((name) => ownHeader.test(name) && !route.headers.includes(name))
  const known = route.headers.filter((name) => ownHeader.test(name))
  return unknown === undefined ? undefined : unknownName(unknown, "header", known)
}

const encoded = problem("NotIdentity", {
  status: 415,
  title: "Body is encoded",
  detail: "a body is sent as it is, without a content-encoding"
})

const wrongMethod = (allowed: string) =>
  problem("WrongMethod", {
    status: 405,
    title: "Wrong method",
    detail: `this path has ${allowed}; /docs and /openapi.json list all`
  })

export class RouteTable {
  readonly #router = routerOf()

  /** The answer to a request that is refused; undefined where its route can do what it asks for. */
  refusalOf(request: Request): HttpServerResponse | undefined {
    const { headers, method, url } = request
    const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "identity"
    if (encoding !== "identity") return problemResponse(encoded, { "accept-encoding": "identity" })
    const condition = conditionFault(request)
    if (condition !== undefined) return problemResponse(condition)
    const found = this.#router.find(method === "HEAD" ? "GET" : method, url)
    if (found === undefined) return this.#wrongMethod(url)
    const fault = parameterFault(request, found.handler) ?? headerFault(request, found.handler)
    return fault === undefined ? undefined : problemResponse(fault)
  }

  /** Undefined where the path has no method at all, and is none. */
  #wrongMethod(url: string): HttpServerResponse | undefined {
    const known = methods.filter((method) => this.#router.find(method, url) !== undefined)
      .flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))
    if (known.length === 0) return undefined
    const allow = known.join(", ")
    return problemResponse(wrongMethod(allow), { allow })
  }
}
