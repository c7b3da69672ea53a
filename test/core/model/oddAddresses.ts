/**
 * Draws addresses with a password, most of them written wrongly, as people do.
 */
import * as fc from "fast-check"

export interface OddAddress {
  readonly address: string
  /** A part of the password that stands nowhere else in it. */
  readonly secret: string
}

const scheme = fc.constantFrom(
  "nats://",
  "tls://",
  "nat://",
  "NATS://",
  "http://",
  "https://",
  "ws://",
  "nats:/",
  "nats//",
  ""
)

/** What a password holds, of which no parser of URLs takes all as it is. */
const odd = fc.constantFrom(
  "",
  ",",
  "/",
  "@",
  ":",
  "?",
  "#",
  " ",
  "%",
  ",x",
  "/x",
  "@x",
  ":9",
  "\\",
  "[",
  "]",
  "é",
  "\"",
  "'"
)

const user = fc.constantFrom("svc:", "svc:1,", "svc:12/", "svc:a@", "", ":")

const place = fc.constantFrom("h", "h:4222", "127.0.0.1:1", "[::1]:4222", "h,g", "h/path", "h:x")

/** The password has a mark of its own, since any short one stands in some address by chance. */
export const oddAddress: fc.Arbitrary<OddAddress> = fc
  .tuple(scheme, user, odd, fc.stringMatching(/^[a-z0-9]{0,3}$/u), odd, place)
  .map(([begin, name, before, drawn, after, end]) => {
    const secret = `s3cret${drawn}`
    return { address: `${begin}${name}${before}${secret}${after}@${end}`, secret }
  })
