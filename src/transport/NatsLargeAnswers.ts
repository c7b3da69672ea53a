/**
 * Sends large answers to clients over a connection of their own, so that all else passes them.
 *
 * A nats-server that cannot get rid of what it has for one client stops reading, for up to a second
 * each time, from whoever publishes to that client: all that follows on the same connection waits,
 * the frames for other nodes with it. A small answer to such a client has the same effect, so all
 * answers to an address that was lately sent a large one go the same way. And behind megabytes in a
 * socket everything waits anyhow.
 *
 * Large answers name a reply subject, to which the broker says that nobody is subscribed to theirs:
 * a client that it has cut off. Such a client is sent none for a while.
 *
 * Where the broker does not allow the second connection, large answers go the common way, and it is
 * tried again now and then. While a connection that there was is lost, reads with large answers are
 * refused: another node may answer them.
 *
 * @see nats-server's "fast producer stall", client.go of version 2.9
 */
import { invariant } from "../core/Invariant.ts"
import { ApartAddresses, type ApartLimits } from "./ApartAddresses.ts"
import { isSystemSubject, replyAddress } from "./Subjects.ts"
import type { TransportService } from "./Transport.ts"

export interface Connection extends TransportService {
  readonly close: () => Promise<void>
}

export interface LargeAnswersOptions {
  /** The connection for all else. */
  readonly common: Connection
  /** Connects once more, as the same user. */
  readonly open: () => Promise<Connection>
  readonly limits: ApartLimits & {
    readonly largeAnswerBytes: number
    readonly connectTimeoutMillis: number
  }
}

/** A transport that is `common`, but for its large answers. */
export const withLargeAnswers = async (options: LargeAnswersOptions): Promise<Connection> => {
  const large = new LargeAnswers(options)
  await large.open()
  const { common } = options
  return {
    ...common,
    publish: (...message) => large.publish(...message),
    answerRoom: (reply) => large.room(reply),
    stats: () => large.stats(),
    close: () => large.close()
  }
}

/** Has nothing under way: its room is that of a client that waits for no answer. */
const stranger = "_INBOX.stranger.1"

const roomOf = (transport: Connection, reply: string): number =>
  transport.answerRoom?.(reply) ?? Infinity

class LargeAnswers {
  readonly #options: LargeAnswersOptions
  readonly #apart: ApartAddresses
  #own: Connection | undefined
  /** Begins the reply subjects of large answers. */
  #inbox = ""
  #opening: Promise<void> | undefined
  #pause: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: LargeAnswersOptions) {
    this.#options = options
    this.#apart = new ApartAddresses(options.limits)
  }

  publish(...message: Parameters<Connection["publish"]>): void {
    const [subject, data, reply, ...headers] = message
    const { common, limits } = this.#options
    const isLarge = data.length >= limits.largeAnswerBytes && !isSystemSubject(subject)
    if (isLarge && this.#own === undefined) void this.open()
    const own = this.#own
    if (own === undefined) return common.publish(...message)
    const now = performance.now()
    if (isLarge) {
      const number = this.#apart.add(replyAddress(subject), now)
      return own.publish(subject, data, reply ?? `${this.#inbox}.${number}`, ...headers)
    }
    const through = this.#apart.size > 0 && this.#isApart(subject, now) ? own : common
    through.publish(...message)
  }

  /**
   * Small answers have the room of the common connection, large ones that of their own. An address
   * that has its share of the latter gets none, nor does one without a subscriber: its next answer
   * may be as large, and what it costs to make one is saved.
   */
  room(reply: string): number {
    const { common, limits: { largeAnswerBytes } } = this.#options
    const small = roomOf(common, reply)
    if (this.#own === undefined) return small
    if (this.#apart.isGone(replyAddress(reply), performance.now())) return 0
    if (!this.#own.connected()) return Math.min(small, largeAnswerBytes - 1)
    const large = roomOf(this.#own, reply)
    if (large >= largeAnswerBytes) return small < largeAnswerBytes ? small : large
    return roomOf(this.#own, stranger) > large ? 0 : Math.min(small, largeAnswerBytes - 1)
  }

  stats(): ReturnType<Connection["stats"]> {
    const common = this.#options.common.stats()
    const own = this.#own?.stats()
    if (own === undefined) return common
    return {
      ...common,
      sentMessages: common.sentMessages + own.sentMessages,
      sentBytes: common.sentBytes + own.sentBytes,
      droppedMessages: common.droppedMessages + own.droppedMessages,
      droppedAnswers: common.droppedAnswers + own.droppedAnswers,
      apartAddresses: this.#apart.size
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#pause)
    await Promise.all([this.#options.common.close(), this.#opening, this.#own?.close()])
  }

  /** Makes the connection, if nothing stands against it; never fails. */
  open(): Promise<void> {
    if (this.#isClosed || this.#pause !== undefined) return Promise.resolve()
    this.#opening ??= this.#attempt()
    return this.#opening
  }

  /** One attempt, and a pause before the next where it fails. */
  async #attempt(): Promise<void> {
    const { limits: { connectTimeoutMillis }, open } = this.#options
    try {
      const own = await open()
      if (this.#isClosed) await own.close()
      else this.#begin(own)
    } catch {
      if (this.#isClosed) return
      this.#pause = setTimeout(() => {
        this.#pause = undefined
      }, connectTimeoutMillis).unref()
    } finally {
      this.#opening = undefined
    }
  }

  #begin(own: Connection): void {
    invariant(this.#own === undefined, "there is one connection of large answers")
    this.#own = own
    this.#inbox = own.newInbox()
    own.subscribe(`${this.#inbox}.*`, ({ noResponders, subject }) => {
      const number = Number(subject.slice(this.#inbox.length + 1))
      if (noResponders) this.#apart.gone(number, performance.now())
    })
  }

  #isApart(subject: string, now: number): boolean {
    return !isSystemSubject(subject) && this.#apart.has(replyAddress(subject), now)
  }
}
