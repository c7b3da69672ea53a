/**
 * Changes inputs as damage and malice do: bytes turned, cut, repeated and spliced; fields of JSON
 * dropped, doubled, renamed, and of other types, sizes and depths.
 */
import type { Drawing } from "./Drawing.ts"

const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Buffer.concat(parts)

/** Lengths and counts are written in such bytes: a large one where a small one was. */
const telling = [
  [0x00],
  [0xff],
  [0x7f],
  [0x80],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  [0xed, 0xa0, 0x80],
  [0xc0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xef, 0xbb, 0xbf]
]

const changes: ReadonlyArray<
  (draw: Drawing, bytes: Uint8Array, other: Uint8Array) => Uint8Array
> = [
  (draw, bytes) => {
    const turned = bytes.slice()
    if (turned.length > 0) turned[draw.below(turned.length)]! ^= 1 + draw.below(255)
    return turned
  },
  (draw, bytes) => bytes.slice(0, draw.below(bytes.length + 1)),
  (draw, bytes) => bytes.slice(draw.below(bytes.length + 1)),
  (draw, bytes) => {
    const start = draw.below(bytes.length + 1)
    const piece = bytes.subarray(start, start + draw.few(200))
    const pieces = Array.from({ length: draw.few(50) }, () => piece)
    return concat(bytes.subarray(0, start), ...pieces, bytes.subarray(start))
  },
  (draw, bytes, other) => {
    const [end, start] = [draw.below(bytes.length + 1), draw.below(other.length + 1)]
    return concat(bytes.subarray(0, end), other.subarray(start))
  },
  (draw, bytes) => {
    const at = draw.below(bytes.length + 1)
    const isOver = draw.oneIn(2)
    const put = Uint8Array.from(draw.of(telling))
    return concat(bytes.subarray(0, at), put, bytes.subarray(at + (isOver ? put.length : 0)))
  },
  (draw, bytes) => {
    const at = draw.below(bytes.length + 1)
    return concat(bytes.subarray(0, at), draw.bytes(draw.few(40)), bytes.subarray(at))
  }
]

/** The bytes after a few changes; `other` lends pieces. */
export const changedBytes = (
  draw: Drawing,
  bytes: Uint8Array,
  other: Uint8Array = bytes
): Uint8Array => {
  let changed = bytes
  for (let n = draw.few(4); n > 0; n--) changed = draw.of(changes)(draw, changed, other)
  return changed
}

/** Text as attackers write it: controls, odd pairs, other directions, names that mean something. */
export const oddTexts: ReadonlyArray<string> = [
  "",
  "\0",
  "\u{1F9D1}\u200D\u{1F680}",
  "e\u0301",
  "\u202Eabc",
  "\uFEFF",
  "\uFFFF",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "then",
  "k",
  "*",
  ">",
  "a.b",
  "../../etc/passwd",
  "x".repeat(300),
  "x".repeat(5_000),
  "\r\nx: y",
  "é".repeat(700)
]

const nested = (draw: Drawing): string => {
  const depth = draw.of([31, 32, 33, 40, 1_023, 1_024, 1_025, 20_000])
  return draw.oneIn(2)
    ? "[".repeat(depth) + "]".repeat(depth)
    : "{\"a\":".repeat(depth) + "0" + "}".repeat(depth)
}

/** Values as they stand in a text, of which some are none. */
const oddValues: ReadonlyArray<(draw: Drawing) => string> = [
  () => "null",
  () => "true",
  () => "[]",
  () => "{}",
  () => "0",
  () => "-0",
  () => "-1",
  () => "1.5",
  () => "1e400",
  () => "1e-400",
  () => "9007199254740993",
  () => "9007199254740991",
  () => "1e21",
  () => "9".repeat(400),
  () => "NaN",
  () => "01",
  () => "\"\\ud800\"",
  () => "\"\\u0000\"",
  () => "{\"__proto__\":{\"polluted\":1}}",
  (draw) => JSON.stringify(draw.of(oddTexts)),
  (draw) => `[${"0,".repeat(draw.few(9_000))}0]`,
  (draw) => `{${Array.from({ length: draw.few(2_000) }, (_, i) => `"${i}":0`).join(",")},"a":0}`,
  nested
]

interface Place {
  readonly within: Record<string, unknown> | Array<unknown>
  readonly at: string | number
}

const isContainer = (value: unknown): value is Record<string, unknown> | Array<unknown> =>
  typeof value === "object" && value !== null

const placesIn = (value: unknown, places: Array<Place> = []): ReadonlyArray<Place> => {
  if (!isContainer(value)) return places
  for (const at of Object.keys(value)) {
    const place = { within: value, at: Array.isArray(value) ? Number(at) : at }
    places.push(place)
    placesIn(valueAt(place), places)
  }
  return places
}

const valueAt = ({ at, within }: Place): unknown => Reflect.get(within, at)

/** Stands for a text that no value has, until the rest is written. */
const mark = "\u2400fuzzed\u2400"

interface Changing {
  readonly draw: Drawing
  readonly place: Place
  readonly places: ReadonlyArray<Place>
}

/** Each gives the text that stands in place of the mark. */
const jsonChanges: ReadonlyArray<(changing: Changing) => string> = [
  ({ place: { at, within } }) => {
    if (Array.isArray(within)) within.splice(Number(at), 1)
    else Reflect.deleteProperty(within, at)
    return ""
  },
  ({ draw, place, places }) => {
    const value = JSON.stringify(valueAt(draw.of(places)) ?? null)
    Reflect.set(place.within, place.at, mark)
    return typeof place.at === "number" ? `${value},${value}` : `0,"${place.at}":${value}`
  },
  ({ draw, place: { at, within } }) => {
    const value: unknown = Reflect.get(within, at)
    const name = draw.of(oddTexts)
    const named = { value, enumerable: true, configurable: true, writable: true }
    if (Array.isArray(within)) {
      within[Number(at)] = Object.defineProperty({}, name, named)
    } else {
      Reflect.deleteProperty(within, at)
      Object.defineProperty(within, name, named)
    }
    return ""
  },
  ({ draw, place, places }) => {
    Reflect.set(place.within, place.at, mark)
    return JSON.stringify(valueAt(draw.of(places)) ?? null)
  },
  ({ draw, place }) => {
    Reflect.set(place.within, place.at, mark)
    return draw.of(oddValues)(draw)
  },
  ({ draw, place }) => {
    Reflect.set(place.within, place.at, mark)
    return draw.of(oddValues)(draw)
  }
]

/** The text of JSON after a few changes to its value. `other` lends pieces. */
export const changedJson = (draw: Drawing, text: string, other: string = text): string => {
  const value: unknown = JSON.parse(text)
  const lent = placesIn(JSON.parse(other))
  const inserted: Array<string> = []
  for (let n = draw.few(3); n > 0; n--) {
    const own = placesIn(value).filter((place) => valueAt(place) !== mark)
    if (own.length === 0) return draw.of(oddValues)(draw)
    const places = draw.oneIn(3) && lent.length > 0 ? lent : own
    inserted.push(draw.of(jsonChanges)({ draw, place: draw.of(own), places }))
  }
  const texts = inserted.filter((piece) => piece !== "")
  return JSON.stringify(value).replaceAll(JSON.stringify(mark), () => texts.pop() ?? "null")
}
