/**
 * The one hash of the system: MD5, as in the Dynamo paper (section 4.2), for placing keys and for
 * telling states apart. It is a format: the same bytes must hash alike for ever, on every node.
 * MD5 does not protect against forgery; data that must not be forged carry an HMAC.
 */
import { hash } from "node:crypto"

/** The 16 bytes of MD5. Text is hashed as UTF-8. */
export const md5 = (data: string | Uint8Array): Uint8Array => hash("md5", data, "buffer")

/** The first 16 bits of MD5, read from text: a buffer would take more memory and time. */
export const md5Bits16 = (data: string): number => {
  const bytes = hash("md5", data, "binary")
  return (bytes.charCodeAt(0) << 8) | bytes.charCodeAt(1)
}

/** The first 64 bits of MD5 of text, as two halves of 32 bits. */
export const md5Halves = (data: string): { readonly high: number; readonly low: number } => {
  const bytes = hash("md5", data, "binary")
  return { high: halfAt(bytes, 0), low: halfAt(bytes, 4) }
}

/** The four words of 32 bits of MD5. */
export type HashWords = readonly [number, number, number, number]

/** MD5 of text, as words. */
export const md5Words = (data: string): HashWords => {
  const bytes = hash("md5", data, "binary")
  return [halfAt(bytes, 0), halfAt(bytes, 4), halfAt(bytes, 8), halfAt(bytes, 12)]
}

/** The 32 bits from a place on, of a text with a character for each byte. */
const halfAt = (bytes: string, at: number): number =>
  ((bytes.charCodeAt(at) << 24) | (bytes.charCodeAt(at + 1) << 16)
    | (bytes.charCodeAt(at + 2) << 8) | bytes.charCodeAt(at + 3)) >>> 0

/** The code of a hexadecimal digit of a text with a character for each byte. */
const digitAt = (bytes: string, at: number): number => {
  const byte = bytes.charCodeAt(at >> 1)
  const digit = (at & 1) === 0 ? byte >> 4 : byte & 0xf
  return digit < 10 ? 0x30 + digit : 0x57 + digit
}

/**
 * The first 64 bits of MD5, as 16 hexadecimal digits: for digests that are compared or printed.
 * Memory keeps many: a part of a longer text would keep all of that.
 */
export const digest64 = (data: string | Uint8Array): string => {
  const bytes = hash("md5", data, "binary")
  const at = (place: number): number => digitAt(bytes, place)
  return String.fromCharCode(
    at(0),
    at(1),
    at(2),
    at(3),
    at(4),
    at(5),
    at(6),
    at(7),
    at(8),
    at(9),
    at(10),
    at(11),
    at(12),
    at(13),
    at(14),
    at(15)
  )
}

/** SHA-256 as 43 characters: for names that users choose, so that nobody finds two that are one. */
export const sha256Text = (data: string): string => hash("sha256", data, "base64url")

const fold = (hash: number): number => (hash >>> 16) ^ (hash & 0xffff)

/** 16 bits of FNV-1a over the UTF-16 units of `text`: to tell texts apart cheaply, for people. */
export const textBits16 = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return fold(hash)
}

/** 16 bits of FNV-1a over the bytes from `start` on, up to `end`. */
export const bytesBits16 = (bytes: Uint8Array, start: number, end: number): number => {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return fold(hash)
}
