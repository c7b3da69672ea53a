/**
 * Fetches documents from another node, and joins them here: the next message is asked for when the
 * documents of the last one are on disk.
 */
import type { Pull, RowCursor } from "../../schemas/AntiEntropyMessage.ts"
import type { Conversation } from "./Conversation.ts"
import { bytesIn, storeAll } from "./ExchangeContext.ts"

export interface Fetched {
  /** Documents that changed here. */
  readonly taken: number
  /** Documents that the own replica refuses. */
  readonly refused: number
}

type Asked = Pick<Pull, "partition" | "versions">

const nothing: Fetched = { taken: 0, refused: 0 }

/** Fetches every document of a partition that this node is to hold. */
export const fetchAll = (
  conversation: Conversation,
  partition: number,
  done: (fetched: Fetched) => void
): void => pull(conversation, { partition, versions: new Uint32Array(0) }, { done })

/** Fetches versions that the other node has, two words each, some in each message. */
export const fetchVersions = (
  conversation: Conversation,
  { partition, versions }: Asked,
  done: (fetched: Fetched) => void,
  before: Fetched = nothing
): void => {
  if (versions.length === 0) return done(before)
  const words = 2 * conversation.context.limits.versionsInMessageMax
  pull(conversation, { partition, versions: versions.slice(0, words) }, {
    before,
    done: (fetched) => {
      const left = { partition, versions: versions.slice(words) }
      fetchVersions(conversation, left, done, fetched)
    }
  })
}

const pull = (
  conversation: Conversation,
  asked: Asked,
  { after, before = nothing, done }: {
    readonly after?: RowCursor
    readonly before?: Fetched
    readonly done: (fetched: Fetched) => void
  }
): void => {
  const { bucket, context } = conversation
  conversation.ask({ kind: "Pull", bucket, ...asked, after }, (answer) => {
    if (answer.kind !== "Pulled") return conversation.end("an answer of another kind")
    const { documents, through } = answer
    conversation.within("the own disk does not answer")
    storeAll(context, documents, (taken, refused) => {
      if (conversation.isOver) return
      const fetched = { taken: before.taken + taken, refused: before.refused + refused }
      conversation.moved(bytesIn(documents), () => {
        if (through === undefined) done(fetched)
        else pull(conversation, asked, { after: through, before: fetched, done })
      })
    })
  })
}
