/**
 * Shows texts with the characters that nobody sees, and takes them off the ends of texts that are
 * typed or copied, where they mean nothing.
 *
 * A terminal would carry out control characters instead of showing them, and two names that differ
 * in a character without a shape look the same.
 */

/** Controls, characters without a shape or that turn the direction, and ends of lines. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu

/** Two scripts join letters by these, and emoji their parts. */
const joiners = /[\u200c\u200d]/gu

const ends = /^[\s\p{Cc}\p{Cf}]+|[\s\p{Cc}\p{Cf}]+$/gu

const shortNames: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`
  ).join("")

/** A text for people: one line, of which each character is seen. */
export const visible = (text: string): string =>
  text.replaceAll(invisible, (character) => shortNames[character] ?? escaped(character))

/** The same for several lines. */
export const visibleLines = (text: string): string => text.split("\n").map(visible).join("\n")

/** A value as JSON on one line that every terminal shows, and every parser reads as that value. */
export const visibleJson = (value: unknown): string =>
  (JSON.stringify(value) ?? "undefined").replaceAll(invisible, escaped)

/** A text without spaces and invisible characters around it. */
export const trimmed = (text: string): string => text.replaceAll(ends, "")

/** A secret may begin or end with a space; a file or an editor adds these only. */
export const trimmedSecret = (text: string): string =>
  text.replace(/^\ufeff/u, "").replace(/[\r\n]+$/u, "")

/** Whether a text has a character that nobody sees. */
export const hidesCharacters = (text: string): boolean =>
  visible(text.replaceAll(joiners, "")) !== text.replaceAll(joiners, "")
