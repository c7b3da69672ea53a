/**
 * Compares the token of a request with those that a node accepts. Only hashes of these are kept: a
 * dump of the memory shows none, and all are compared in the same time whatever is given.
 */
import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"

/** The SHA-256 hashes of accepted tokens, in hexadecimal digits. */
export type AccessTokens = Redacted.Redacted<ReadonlyArray<string>>

const hash = (token: string): Buffer => createHash("sha256").update(token).digest()

/** The form of a bearer token, RFC 6750, long enough that guessing finds none. */
const tokenPattern = /^[A-Za-z0-9._~+/-]{16,512}={0,2}$/u

const split = (text: string): ReadonlyArray<string> => text.split(",").map((token) => token.trim())

/** Whether a text is one token, or several with commas between them. */
export const areTokens = (text: string): boolean =>
  split(text).every((token) => tokenPattern.test(token))

/** The first token of such a text: clients send one. */
export const firstToken = (text: string): string => split(text)[0] ?? ""

/** The hashes of the tokens in a text. */
export const hashTokens = (text: string): ReadonlyArray<string> =>
  split(text).map((token) => hash(token).toString("hex"))

/** The tokens in a text, as a server takes them. */
export const readTokens = (text: string): AccessTokens => Redacted.make(hashTokens(text))

/** Whether the value of an `authorization` header brings an accepted token. */
export const isAccepted = (authorization: string | undefined, tokens: AccessTokens): boolean => {
  const [, token] = /^bearer +(\S+)$/iu.exec(authorization ?? "") ?? []
  if (token === undefined) return false
  const given = hash(token)
  return Redacted.value(tokens)
    .map((accepted) => timingSafeEqual(given, Buffer.from(accepted, "hex")))
    .includes(true)
}
