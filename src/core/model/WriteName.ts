/**
 * Makes the operation id of a write that its user names: by the option `id`, by HTTP's
 * `Idempotency-Key`, or by the command line's `--id`. One name is one id in every way in.
 */
import { sha256Text } from "../Hash.ts"
import { InvalidRequest } from "./StoreError.ts"

export const nameLengthMax = 200

/**
 * Visible ASCII with spaces inside: a header of HTTP holds it as it is, and loses spaces around it.
 */
export const namePattern = /^[\x21-\x7e](?:[\x20-\x7e]{0,198}[\x21-\x7e])?$/u

export const nameExpected = `1 to ${nameLengthMax} visible characters of ASCII`

/** Why a text is no name of a write; undefined where it is one. */
export const nameFault = (name: unknown): InvalidRequest | undefined =>
  typeof name === "string" && namePattern.test(name)
    ? undefined
    : new InvalidRequest({ setting: "id", value: String(name), expected: nameExpected })

/** The operation id of a name, the same in every process. */
export const operationIdOf = (
  name: string
): { readonly session: string; readonly sequence: number } => ({
  session: `named.${sha256Text(name)}`,
  sequence: 0
})
