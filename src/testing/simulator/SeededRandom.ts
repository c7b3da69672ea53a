/**
 * Draws the simulator's chances: a stream of its own for each purpose, all from one seed, so that
 * one more message does not reshuffle the faults.
 */
import { md5 } from "../../core/Hash.ts"

export interface SeededRandom {
  /** In [0, 1). */
  readonly next: () => number
  /** An integer from `least` to `most`, both included. */
  readonly integer: (least: number, most: number) => number
  readonly chance: (probability: number) => boolean
  /** One of a non-empty list. */
  readonly pick: <A>(items: ReadonlyArray<A>) => A
  /** Exponentially distributed around `mean`. */
  readonly exponential: (mean: number) => number
  /** 26 characters of [0-9a-z]; the same length and alphabet as a `Runtime`'s ids. */
  readonly id: () => string
}

/** The generator sfc32 (Doty-Humphrey, PractRand), whose whole state is four 32-bit words. */
const sfc32 = (words: Uint32Array): () => number => {
  let [a = 0, b = 0, c = 0, d = 0] = words
  return () => {
    const sum = (a + b | 0) + d | 0
    d = d + 1 | 0
    a = b ^ b >>> 9
    b = c + (c << 3) | 0
    c = (c << 21 | c >>> 11) + sum | 0
    return (sum >>> 0) / 4_294_967_296
  }
}

const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
const idLength = 26

/** The stream of a seed that bears this name. */
export const stream = (seed: number, name: string): SeededRandom => {
  const bytes = md5(`${seed} ${name}`)
  const words = new Uint32Array(4)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let i = 0; i < 4; i++) words[i] = view.getUint32(i * 4)
  const next = sfc32(words)
  const integer = (least: number, most: number) => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: (items) => items[integer(0, items.length - 1)]!,
    exponential: (mean) => -mean * Math.log(1 - next()),
    id: () => Array.from({ length: idLength }, () => digits[integer(0, digits.length - 1)]).join("")
  }
}
