/**
 * Reads a list of brokers, and refuses one of which a part is no address, so that a password that
 * is written wrongly is neither sent to some other host nor shown.
 */

export const natsServersExpected =
  "nats://host:port or tls://host:port, several with commas between them; in a user or password "
  + ", / @ : are %2C %2F %40 %3A"

/** A path is a piece of a password, if it is anything: no broker has one. */
const isServer = ({ hash, hostname, password, pathname, protocol, search, username }: URL) =>
  /^(?:nats|tls):$/u.test(protocol) && hostname !== ""
  && (pathname === "" || pathname === "/") && search === "" && hash === ""
  && isEncoded(username) && isEncoded(password)

/** A `%` stands before two hexadecimal digits of UTF-8. */
const isEncoded = (text: string): boolean => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** The servers; undefined where one of them is none. */
export const natsServers = (
  given: string | ReadonlyArray<string>
): ReadonlyArray<URL> | undefined => {
  const texts = (typeof given === "string" ? given.split(",") : given).map((text) => text.trim())
  const urls = texts.flatMap((text) => {
    const url = URL.parse(text.includes("://") ? text : `nats://${text}`)
    return url !== null && isServer(url) ? [url] : []
  })
  return urls.length === 0 || urls.length < texts.length ? undefined : urls
}
