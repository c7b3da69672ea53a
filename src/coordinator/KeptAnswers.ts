/**
 * Keeps with a document the answer that shows it, so that the next read of it, while it has not
 * changed, neither views it nor seals its context: that takes longer than all else of an answer.
 *
 * A state never changes, so an answer fits as long as it is asked of the same state. It goes with
 * the state: `replica/DocumentCache` says how many there are.
 */
import type { Document } from "../core/crdt/Document.ts"
import type { DocumentKey } from "../core/model/DocumentKey.ts"
import type { ReadLimits } from "../core/model/ReadLimits.ts"
import type { Undecodable } from "../core/model/StoreError.ts"
import type { KnownBucket } from "../core/strategy/Buckets.ts"
import { type Answerable, answerOf } from "./Answer.ts"
import type { Answer } from "./Request.ts"

interface Kept {
  readonly bucket: KnownBucket
  readonly key: DocumentKey
  readonly answer: Answer
}

export class KeptAnswers {
  readonly #limits: Pick<ReadLimits, "keptAnswerCharactersMax">
  readonly #kept = new WeakMap<Document, Kept>()

  constructor(limits: Pick<ReadLimits, "keptAnswerCharactersMax">) {
    this.#limits = limits
  }

  /** As `answerOf` makes it of a read without a session. **Requires** the same seal always. */
  answerOf(read: Answerable, options: Parameters<typeof answerOf>[1]): Answer | Undecodable {
    const { document, replied } = options
    const { bucket, key } = read
    const kept = this.#kept.get(document)
    if (
      kept !== undefined && kept.bucket === bucket && kept.key.partition === key.partition
      && kept.key.sort === key.sort
    ) {
      return kept.answer.replied === replied ? kept.answer : { ...kept.answer, replied }
    }
    const answer = answerOf(read, options)
    if (answer._tag === "Answer" && this.#isKept(document, answer)) {
      this.#kept.set(document, { bucket, key, answer })
    }
    return answer
  }

  /** Time and the bucket's code have a say in some answers, and long ones take too much memory. */
  #isKept(document: Document, { siblings, values }: Answer): boolean {
    return document.expiry.length === 0 && siblings <= 1
      && (values[0]?.length ?? 0) <= this.#limits.keptAnswerCharactersMax
  }
}
