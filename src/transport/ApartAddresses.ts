/**
 * Remembers the addresses of clients that were lately sent a large answer, and those of them to
 * which nobody is subscribed any more.
 */
import type { NatsLimits } from "../core/model/Limits.ts"

export type ApartLimits = Pick<NatsLimits, "apartMillis" | "apartAddressesMax" | "goneMillis">

interface Apart {
  /** Names it in a subject, since an address may hold any characters. */
  readonly number: number
  readonly until: number
  /** It has no subscriber, as far as is known, until this time. */
  readonly goneUntil: number
}

export class ApartAddresses {
  readonly #limits: ApartLimits
  /** The last one that was sent a large answer last. */
  readonly #byAddress = new Map<string, Apart>()
  readonly #byNumber = new Map<number, string>()
  #last = 0

  constructor(limits: ApartLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#byAddress.size
  }

  /** An address is sent a large answer: returns its number. */
  add(address: string, now: number): number {
    const before = this.#byAddress.get(address)
    const number = before?.number ?? ++this.#last
    const goneUntil = before?.goneUntil ?? -Infinity
    this.#byAddress.delete(address)
    this.#byAddress.set(address, { number, until: now + this.#limits.apartMillis, goneUntil })
    this.#byNumber.set(number, address)
    if (this.size > this.#limits.apartAddressesMax) {
      const [oldest = ""] = this.#byAddress.keys()
      this.#forget(oldest)
    }
    return number
  }

  has(address: string, now: number): boolean {
    const apart = this.#byAddress.get(address)
    if (apart === undefined) return false
    if (now < Math.max(apart.until, apart.goneUntil)) return true
    this.#forget(address)
    return false
  }

  /**
   * The address of this number has no subscriber. One of a single token says nothing: clients that
   * make a whole subject for each answer share it.
   */
  gone(number: number, now: number): void {
    const address = this.#byNumber.get(number)
    const apart = address === undefined ? undefined : this.#byAddress.get(address)
    if (address === undefined || apart === undefined || !address.includes(".")) return
    this.#byAddress.set(address, { ...apart, goneUntil: now + this.#limits.goneMillis })
  }

  isGone(address: string, now: number): boolean {
    const apart = this.#byAddress.get(address)
    return apart !== undefined && now < apart.goneUntil
  }

  #forget(address: string): void {
    const apart = this.#byAddress.get(address)
    if (apart !== undefined) this.#byNumber.delete(apart.number)
    this.#byAddress.delete(address)
  }
}
