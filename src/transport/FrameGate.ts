/**
 * Lets in the frames that a member made, each once. Bytes that are none are refused and counted
 * before anything of them is decoded or kept, the cheapest test first: membership, version,
 * repeats, the name of the key, and the MAC.
 *
 * Frames under another key, or of another version, are signs of a fault in the configuration, and
 * anybody can make them: nothing but an alarm follows.
 */
import type { NodeId } from "../core/model/Names.ts"
import type { Runtime } from "../core/Runtime.ts"
import { decode, type Frame, frameVersion } from "./Frame.ts"
import type { FrameSeal } from "./FrameSeal.ts"
import { type FrameWindowLimits, FrameWindows } from "./FrameWindows.ts"

export interface FrameGateOptions {
  readonly runtime: Pick<Runtime, "mark">
  readonly seal: FrameSeal
  readonly isMember: (node: NodeId) => boolean
  /** Called for each frame that says another key; whether its sender made it, nobody knows. */
  readonly onOtherKey?: (from: NodeId) => void
  readonly limits: FrameWindowLimits
}

export interface GateRefusals {
  /** Of senders that are no members. */
  readonly notMember: number
  /** Of another version of the format, or no frames at all. */
  readonly otherVersion: number
  /** Taken before, or older than all whose numbers are remembered. */
  readonly repeated: number
  /** Under a key that this node does not have. */
  readonly otherKey: number
  /** Damaged on their way, made without the key, or for another subject. */
  readonly forged: number
}

/** Bytes that came, and the sender and the subject that they are to be proved for. */
export interface Arrived {
  readonly from: NodeId
  readonly subject: string
  readonly data: Uint8Array
}

export class FrameGate {
  readonly #options: FrameGateOptions
  readonly #windows: FrameWindows
  readonly #refusals = { notMember: 0, otherVersion: 0, repeated: 0, otherKey: 0, forged: 0 }

  constructor(options: FrameGateOptions) {
    this.#options = options
    this.#windows = new FrameWindows(options.limits)
  }

  get refusals(): GateRefusals {
    return this.#refusals
  }

  get windowBytes(): number {
    return this.#windows.bytes
  }

  retainMembers(): void {
    this.#windows.retain(this.#options.isMember)
  }

  /** The frame, where it is one. Throws `Malformed` where a member made it wrongly. */
  open(arrived: Arrived): Frame | undefined {
    const refusal = this.#refusalOf(arrived)
    const { data, from } = arrived
    if (refusal !== undefined) {
      this.#refusals[refusal]++
      this.#mark(refusal)
      if (refusal === "otherKey") this.#options.onOtherKey?.(from)
      return undefined
    }
    const frame = decode(data)
    this.#windows.take(from, frame.header.senderIncarnation, frame.header.number)
    return frame
  }

  #mark(refusal: keyof GateRefusals): void {
    const { runtime } = this.#options
    switch (refusal) {
      case "notMember":
        return runtime.mark("link: a frame of a stranger is refused")
      case "otherVersion":
        return runtime.mark("link: a frame of another version is refused")
      case "repeated":
        return runtime.mark("link: a repeated frame is refused")
      case "otherKey":
        return runtime.mark("link: a frame under another key is refused")
      case "forged":
        return runtime.mark("link: a frame without its MAC is refused")
    }
  }

  #refusalOf({ data, from, subject }: Arrived): keyof GateRefusals | undefined {
    const { isMember, seal } = this.#options
    if (!isMember(from)) return "notMember"
    if (data[0] !== frameVersion) return "otherVersion"
    if (this.#windows.isRepeat(from, data)) return "repeated"
    const proof = seal.prove(subject, data)
    return proof === "proved" ? undefined : proof
  }
}
