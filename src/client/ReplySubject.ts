/**
 * Names a message of a client in the subject of its replies. Where the broker says that nobody
 * listens, the subject of the reply is all that it tells of the message.
 */
import * as Schema from "effect/Schema"
import { NodeId } from "../core/model/Names.ts"

const isNodeId = Schema.is(NodeId)

/** The last part of the subject: the number of the message, and the node where it goes to one. */
export const replyToken = (message: number, node: NodeId | undefined): string =>
  node === undefined ? String(message) : `${message}-${node}`

export const messageOf = (token: string): number => Number.parseInt(token, 10)

export const nodeOf = (token: string): NodeId | undefined => {
  const dash = token.indexOf("-")
  const node = token.slice(dash + 1)
  return dash !== -1 && isNodeId(node) ? node : undefined
}
