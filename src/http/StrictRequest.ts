/**
 * Refuses requests whose path or query is not what it says: malformed percent-encoding, or bytes
 * that are not UTF-8, would be repaired on the way, and two keys would be one. Headers need no such
 * check: each byte of one is a character, and no two of them are taken for one.
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { InvalidRequest } from "../core/model/StoreError.ts"

const shownLengthMax = 80

const invalid = (setting: string, value: string, expected: string): InvalidRequest =>
  new InvalidRequest({
    setting,
    value: value.length > shownLengthMax ? `${value.slice(0, shownLengthMax)}...` : value,
    expected
  })

/** The text that is percent-encoded; undefined where it is malformed or no UTF-8. */
const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const pathFault = (path: string): InvalidRequest | undefined =>
  path.split("/").every((segment) => decoded(segment) !== undefined)
    ? undefined
    : invalid("path", path, "UTF-8 in percent-encoding")

const queryFault = (query: string): InvalidRequest | undefined => {
  const seen = new Set<string>()
  for (const pair of query.split("&")) {
    const at = pair.includes("=") ? pair.indexOf("=") : pair.length
    const name = decoded(pair.slice(0, at).replaceAll("+", " "))
    if (name === undefined) return invalid("query", pair, "UTF-8 in percent-encoding")
    const value = pair.slice(at + 1)
    if (decoded(value) === undefined) return invalid(name, value, "UTF-8 in percent-encoding")
    if (seen.has(name)) return invalid(name, "given twice", "one value")
    if (pair !== "") seen.add(name)
  }
  return undefined
}

/** Visible ASCII without what a parser of URLs would take for another part, or for a slash. */
const target = /^[!"$-[\]-~]*$/u

/** Why a request is not taken; undefined where it is what it says. */
export const faultIn = (
  { url }: Pick<HttpServerRequest, "url">
): InvalidRequest | undefined => {
  if (!target.test(url)) return invalid("path", url, "ASCII, all else in percent-encoding")
  const at = url.includes("?") ? url.indexOf("?") : url.length
  return pathFault(url.slice(0, at)) ?? queryFault(url.slice(at + 1))
}
