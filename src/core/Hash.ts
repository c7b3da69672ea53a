/**
 * The one hash of the system: MD5, as in the Dynamo paper (section 4.2), for placing keys and for
 * telling states apart. It is a format: the same bytes must hash alike for ever, on every node.
 * Nothing here protects against forgery; what must not be forged carries an HMAC.
 */
import { hash } from "node:crypto"

/** The 16 bytes of MD5. Text is hashed as UTF-8. */
export const md5 = (data: string | Uint8Array): Uint8Array => hash("md5", data, "buffer")

/** The same, a character for each byte: cheaper than an array where a few bytes are looked at. */
export const md5Text = (data: string | Uint8Array): string => hash("md5", data, "binary")

/** The first 64 bits of MD5, as 16 hexadecimal digits: for digests that are compared or printed. */
export const digest64 = (data: string | Uint8Array): string => hash("md5", data, "hex").slice(0, 16)
