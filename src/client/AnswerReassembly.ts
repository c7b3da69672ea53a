/**
 * Puts answers together that come in parts. An answer of which parts are lost is given up after a
 * while: its request is sent again, as if all of it had been lost.
 */
import { readPart } from "../../schemas/AnswerPart.ts"
import type { ClientLimits } from "../core/model/Limits.ts"
import type { Runtime } from "../core/Runtime.ts"
import { Reassembly } from "../transport/Reassembly.ts"

export interface AnswerReassemblyOptions {
  readonly runtime: Pick<Runtime, "after">
  readonly limits: Pick<
    ClientLimits,
    "answerPartsBytesMax" | "answerPartsMax" | "answerPartsPauseMillis" | "answersFinishedMax"
  >
  /** A part of the answer to the request with this id is there. */
  readonly heard: (id: number) => void
}

export class AnswerReassembly {
  readonly #options: AnswerReassemblyOptions
  readonly #reassembly: Reassembly
  #isSweeping = false

  constructor(options: AnswerReassemblyOptions) {
    const { limits } = options
    this.#options = options
    this.#reassembly = new Reassembly({
      bytesMax: limits.answerPartsBytesMax,
      partsMax: limits.answerPartsMax,
      finishedMax: limits.answersFinishedMax
    })
  }

  /** Answers that were given up, because parts were lost or too much waited. */
  abandoned(): number {
    return this.#reassembly.abandoned()
  }

  /** The answer in a message, or the one that it completes; undefined while parts are missing. */
  whole(data: Uint8Array): Uint8Array | undefined {
    const part = readPart(data)
    if (part === "whole") return data
    if (part === "malformed") return undefined
    const { bytes, header: { id, of: count, part: number, run } } = part
    const place = { sender: run, transfer: 0, index: number - 1, count }
    const whole = this.#reassembly.add({ ...place, bytes })
    this.#sweepLater()
    if (whole === undefined && id !== undefined) this.#options.heard(id)
    return whole
  }

  #sweepLater(): void {
    if (this.#isSweeping || this.#reassembly.isIdle()) return
    this.#isSweeping = true
    const { limits: { answerPartsPauseMillis }, runtime } = this.#options
    runtime.after(answerPartsPauseMillis, () => {
      this.#isSweeping = false
      this.#reassembly.sweep()
      this.#sweepLater()
    })
  }
}
