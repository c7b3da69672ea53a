/**
 * Remembers which documents are looked after now, so that each is once at a time, and few at once.
 */
import { type RowKey, textOf } from "../core/model/RowKey.ts"

export class ChecksUnderWay {
  readonly #checksMax: number
  readonly #documents = new Set<string>()

  constructor({ deferralChecksMax }: { readonly deferralChecksMax: number }) {
    this.#checksMax = deferralChecksMax
  }

  /** Whether a check of this document may begin; then it has begun. */
  begin(row: RowKey): boolean {
    const name = textOf(row)
    if (this.#documents.has(name) || this.#documents.size >= this.#checksMax) return false
    this.#documents.add(name)
    return true
  }

  end(row: RowKey): void {
    this.#documents.delete(textOf(row))
  }
}
