/**
 * Tells each text once, until all is forgotten: a broker repeats its refusals with every message.
 * Clients choose some of the subjects that it names, so the number of different texts is bounded.
 */
export class ToldOnce {
  readonly #tell: (text: string) => void
  readonly #max: number
  readonly #told = new Set<string>()

  constructor(tell: (text: string) => void, { toldMax }: { readonly toldMax: number }) {
    this.#tell = tell
    this.#max = toldMax
  }

  tell(text: string): void {
    if (this.#told.has(text) || this.#told.size >= this.#max) return
    this.#told.add(text)
    this.#tell(text)
  }

  forget(): void {
    this.#told.clear()
  }
}
