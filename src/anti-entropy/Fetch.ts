/**
 * Fetches documents from another node, and joins them here: the next message is asked for when the
 * documents of the last one are on disk.
 */
import type { Pull, RowCursor } from "../../schemas/AntiEntropyMessage.ts"
import type { Conversation } from "./Conversation.ts"
import { bytesIn, type ExchangeContext, storeAll } from "./ExchangeContext.ts"

export interface Fetched {
  /** Documents that changed here. */
  readonly taken: number
  /** Documents that the own replica refuses. */
  readonly refused: number
}

export interface FetchOptions {
  readonly context: ExchangeContext
  readonly conversation: Conversation
  /** Empty for all. */
  readonly bucket: string
}

const nothing: Fetched = { taken: 0, refused: 0 }

/** Fetches every document of a partition that this node is to hold. */
export const fetchAll = (
  options: FetchOptions,
  partition: number,
  done: (fetched: Fetched) => void
): void => pull(options, { partition, versions: new Uint32Array(0), after: undefined }, done)

/** Fetches versions that the other node has, two words each, some in each message. */
export const fetchVersions = (
  options: FetchOptions,
  { partition, versions }: Pick<Pull, "partition" | "versions">,
  done: (fetched: Fetched) => void,
  before: Fetched = nothing
): void => {
  if (versions.length === 0) return done(before)
  const words = 2 * options.context.limits.versionsInMessageMax
  const asked = { partition, versions: versions.slice(0, words), after: undefined }
  pull(options, asked, (fetched) => {
    const left = { partition, versions: versions.slice(words) }
    fetchVersions(options, left, done, fetched)
  }, before)
}

const pull = (
  options: FetchOptions,
  asked: Pick<Pull, "partition" | "versions"> & { readonly after: RowCursor | undefined },
  done: (fetched: Fetched) => void,
  before: Fetched = nothing
): void => {
  const { bucket, context, conversation } = options
  conversation.ask({ kind: "Pull", bucket, ...asked }, (answer) => {
    if (answer.kind !== "Pulled") return conversation.end("an answer of another kind")
    const { documents, through } = answer
    conversation.within("the own disk does not answer")
    storeAll(context, documents, (taken, refused) => {
      if (conversation.isOver) return
      const fetched = { taken: before.taken + taken, refused: before.refused + refused }
      conversation.moved(bytesIn(documents), () => {
        if (through === undefined) done(fetched)
        else pull(options, { ...asked, after: through }, done, fetched)
      })
    })
  })
}
