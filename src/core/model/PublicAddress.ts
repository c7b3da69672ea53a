/**
 * Shows addresses of brokers and nodes without the user, password and token that they may hold.
 *
 * It fails closed: an address is shown as far as it certainly is no secret, and an address that is
 * written wrongly, as by a password whose `,` or `/` is not percent-encoded, hides the rest.
 *
 * @see RFC 3986, sections 3.1 and 3.2, for the parts of an address
 */

const hidden = "***"

/** It stands before all else, so it is no secret as long as it looks like one of a protocol. */
const schemePattern = /^[a-z]{2,5}:\/\//iu

/** A name, an IPv4 address or one of IPv6 in brackets; then a port. */
const host = String.raw`(?:\[[\da-f:.]+\]|[\p{L}\p{N}._-]+)(?::\d{1,5})?`

const hosts = new RegExp(String.raw`^${host}(?:,(?:[a-z]{2,5}://)?${host})*/?$`, "iu")

/** A user and a password, or a token, in the characters that need no encoding there. */
const user = String.raw`(?:[\w.~!$&'()*+;=%-]*(?::[\w.~!$&'()*+;=%-]*)?@)`

const part = new RegExp(String.raw`^([a-z]{2,5}://)?(${user})?(${host})(/[^@]*)?$`, "iu")

/** A path may be a secret: only its presence is told. */
const pathText = (path: string | undefined): string =>
  path === undefined || path === "/" ? "" : "/..."

/**
 * The parts of a list, each without its user; undefined where one may be a piece of a password, as
 * one with a user and no scheme is, unless it is the first.
 */
const shownParts = (text: string): string | undefined => {
  const shown: Array<string> = []
  for (const address of text.split(",")) {
    const [, scheme, info, place, path] = part.exec(address.trim()) ?? []
    if (place === undefined) return undefined
    if (info !== undefined && scheme === undefined && shown.length > 0) return undefined
    shown.push((scheme ?? "") + place + pathText(path))
  }
  return shown.join(",")
}

/** An address, or several with commas between them, for people. */
export const publicAddress = (text: string): string => {
  const shown = shownParts(text)
  if (shown !== undefined) return shown
  const [scheme = ""] = schemePattern.exec(text) ?? []
  const at = text.lastIndexOf("@")
  const rest = text.slice(at + 1)
  return scheme + hidden + (at !== -1 && hosts.test(rest) ? `@${rest}` : "")
}

/**
 * A text that may quote one of the texts `given`, which may be addresses. Where one may have a user
 * and is quoted in another form, as by a parser, all that looks like an address is hidden.
 */
export const hideAddresses = (text: string, given: ReadonlyArray<string>): string => {
  const addresses = given.filter((each) => /[@/]/u.test(each))
  const quoted = addresses.reduce(
    (shown, address) => shown.replaceAll(address, publicAddress(address)),
    text
  )
  if (!addresses.some((address) => address.includes("@"))) return quoted
  return quoted.replaceAll(/[a-z]+:\/.*@/gisu, `${hidden}@`)
    .replaceAll(/[^\s"'`()]*@/gu, `${hidden}@`)
}
