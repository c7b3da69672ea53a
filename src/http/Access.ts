/**
 * Decides who may ask. A page of another site must not reach a node by a name that it lets lead
 * here (DNS rebinding), nor send it requests from a user's browser; and beyond loopback only the
 * bearer of a token may read or write.
 *
 * @see RFC 9110, sections 7.2 and 15.5.20, for hosts; RFC 6750 for tokens
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import { isLoopback } from "../core/model/Loopback.ts"
import { urlHost } from "../core/model/UrlHost.ts"
import { type AccessTokens, isAccepted } from "./AccessTokens.ts"
import { problem, problemResponse } from "./Answers.ts"
import { incomingOf } from "./NodeRequest.ts"

export interface Access {
  /** The names that requests may give as host; undefined where any is taken. */
  readonly hosts: ReadonlyArray<string> | undefined
  /** Undefined where none is asked for. */
  readonly tokens: AccessTokens | undefined
}

export interface AccessOptions {
  /** The address that is listened on. */
  readonly host: string
  /** Names under which requests may come, beyond those of loopback. */
  readonly hosts?: ReadonlyArray<string> | undefined
  readonly tokens?: AccessTokens | undefined
}

const loopbackNames = ["localhost", "127.0.0.1", "[::1]"]

export const makeAccess = ({ host, hosts = [], tokens }: AccessOptions): Access => {
  const own = urlHost(host)
  const names = isLoopback(host) ? [...loopbackNames, own, ...hosts] : [...hosts]
  const known = new Set(names.map((name) => name.toLowerCase()))
  return { hosts: known.size === 0 ? undefined : [...known], tokens }
}

/** Needs no token: those who watch a node have none, and it tells no data. */
export const openPaths: ReadonlySet<string> = new Set(["/livez", "/readyz"])

const badHost = problem("BadHost", {
  status: 400,
  title: "Not one host",
  detail: "a request names one host, in one header: a name or an address, and a port"
})

const wrongHost = (hosts: ReadonlyArray<string>) =>
  problem("WrongHost", {
    status: 421,
    title: "Not this host",
    detail: `this node answers as ${hosts.join(", ")}; EVERWRITE_HTTP_HOSTS adds names`
  })

const otherOrigin = problem("OtherOrigin", {
  status: 403,
  title: "Page of another site",
  detail: "the request comes from a page of another site than the host that it names"
})

const noAccess = problem("NoAccess", {
  status: 401,
  title: "Token needed",
  detail: "this node asks for a token that it accepts: authorization: Bearer TOKEN"
})

/** A name, an IPv4 address or one of IPv6 in brackets; then a port. */
const hostPattern = /^(\[[\da-f:.]+\]|[^\s:/?#@[\]\\]+)(?::\d{0,5})?$/iu

/** The host and port as URLs of the scheme of `origin` write them. */
const placeOf = (scheme: string, host: string): string | undefined => {
  const url = `${scheme}//${host}`
  return URL.canParse(url) ? new URL(url).host : undefined
}

const isOwnOrigin = (origin: string, host: string): boolean => {
  if (!URL.canParse(origin)) return false
  const { host: place, protocol } = new URL(origin)
  return place !== "" && place === placeOf(protocol, host)
}

/** The answer to a request that may not be carried out; undefined for one that may. */
export const refusalOf = (
  request: HttpServerRequest,
  { hosts, tokens }: Access
): HttpServerResponse | undefined => {
  const { headers, url } = request
  const { rawHeaders } = incomingOf(request)
  const given = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === "host")
  // A client of HTTP/1.0 may leave it out; no browser is one.
  const host = headers["host"]
  if (given.length > 1) return problemResponse(badHost)
  if (host !== undefined) {
    const [, name] = hostPattern.exec(host) ?? []
    if (name === undefined) return problemResponse(badHost)
    if (hosts?.includes(name.toLowerCase()) === false) return problemResponse(wrongHost(hosts))
  }
  const { authorization, origin } = headers
  if (origin !== undefined && !isOwnOrigin(origin, host ?? "")) return problemResponse(otherOrigin)
  if (tokens === undefined || openPaths.has(url) || isAccepted(authorization, tokens)) {
    return undefined
  }
  return problemResponse(noAccess, { "www-authenticate": "Bearer" })
}
