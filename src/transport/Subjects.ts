/**
 * Names every subject of the system, and reads a received one back into its parts.
 *
 *     everwrite.<cluster>.v1.peer.<to>.from.<from>      frames from one node to another
 *     everwrite.<cluster>.v1.gossip.from.<from>         frames from one node to all
 *     everwrite.<cluster>.v1.read.<bucket>.<operation>  a request to any node; `write` likewise
 *     everwrite.<cluster>.v1.node.<id>.read.<bucket>.<operation>  the same to one node
 *     everwrite.<cluster>.v1.cluster.<verb>             an operator's request to any node
 *
 * The sender of a frame is a token of its subject, so that the broker's permissions can hold each
 * node to its own name. A reader takes the sender from here, never from the frame. The
 * dots in an operation's name (`lines.add`) make more tokens, as they look.
 */
import * as Schema from "effect/Schema"
import { invariant } from "../core/Invariant.ts"
import { BucketName, type ClusterName, NodeId } from "../core/model/Names.ts"
import { isOperationName } from "../core/model/OperationName.ts"

/** Requests to "any node" are subscribed to with this queue group: one node gets each. */
export const requestQueue = "q"

const systemPrefix = "everwrite."

/** Whether a subject is one of the system's, of any cluster. */
export const isSystemSubject = (subject: string): boolean => subject.startsWith(systemPrefix)

/**
 * Whether a client may have its answer here. Nodes may publish more than clients: an answer to one
 * of the system's subjects, or of the broker's own, would carry a client's bytes past permissions.
 */
export const isReplySubject = (subject: string): boolean =>
  !isSystemSubject(subject) && !subject.startsWith("$")

/** Stands for the client that a reply goes to: each message has a last token of its own. */
export const replyAddress = (reply: string): string => {
  const end = reply.lastIndexOf(".")
  return end === -1 ? reply : reply.slice(0, end)
}

/** Reads and writes differ in the first token, so that one permission makes a reader. */
export type Access = "read" | "write"

export interface RequestSubject {
  readonly access: Access
  readonly bucket: BucketName
  readonly operation: string
}

/** The parts of a received subject. */
export type ParsedSubject =
  | { readonly _tag: "Peer"; readonly to: NodeId; readonly from: NodeId }
  | { readonly _tag: "Gossip"; readonly from: NodeId }
  | {
    readonly _tag: "Request"
    readonly node: NodeId | undefined
    readonly request: RequestSubject
  }
  | { readonly _tag: "Cluster"; readonly verb: string }

const isNodeId = Schema.is(NodeId)
const isBucketName = Schema.is(BucketName)

const verbPattern = /^[a-z][a-z-]{0,63}$/u

const tail = ({ access, bucket, operation }: RequestSubject): string => {
  invariant(isOperationName(operation), `"${operation}" is the name of an operation`)
  return `${access}.${bucket}.${operation}`
}

/** Begins every subject of a cluster. */
export const subjectPrefix = (cluster: ClusterName): string => `${systemPrefix}${cluster}.v1.`

/** The subjects of one cluster. */
export class Subjects {
  readonly #prefix: string

  constructor(cluster: ClusterName) {
    this.#prefix = subjectPrefix(cluster)
  }

  peer(frame: { readonly to: NodeId; readonly from: NodeId }): string {
    return `${this.#prefix}peer.${frame.to}.from.${frame.from}`
  }

  /** The pattern of all frames for `to`. */
  peersTo(to: NodeId): string {
    return `${this.#prefix}peer.${to}.from.*`
  }

  /** The pattern of all frames of `from`. */
  peersFrom(from: NodeId): string {
    return `${this.#prefix}peer.*.from.${from}`
  }

  gossip(from: NodeId): string {
    return `${this.#prefix}gossip.from.${from}`
  }

  /** The pattern of all nodes' gossip. */
  gossips(): string {
    return `${this.#prefix}gossip.from.*`
  }

  request(request: RequestSubject): string {
    return this.#prefix + tail(request)
  }

  /** The pattern of one kind of request to any node; use it with `requestQueue`. */
  requests(access: Access): string {
    return `${this.#prefix}${access}.>`
  }

  nodeRequest(node: NodeId, request: RequestSubject): string {
    return `${this.#prefix}node.${node}.${tail(request)}`
  }

  /** The pattern of all requests to one node. */
  nodeRequests(node: NodeId): string {
    return `${this.#prefix}node.${node}.>`
  }

  cluster(verb: string): string {
    invariant(verbPattern.test(verb), `"${verb}" is a verb`)
    return `${this.#prefix}cluster.${verb}`
  }

  /** The pattern of all operators' requests; use it with `requestQueue`. */
  clusters(): string {
    return `${this.#prefix}cluster.*`
  }

  /** The parts of a received subject; nothing where any part does not fit. */
  parse(subject: string): ParsedSubject | undefined {
    if (!subject.startsWith(this.#prefix)) return undefined
    const [kind, ...rest] = subject.slice(this.#prefix.length).split(".")
    switch (kind) {
      case "peer":
        return parsePeer(rest)
      case "gossip":
        return parseGossip(rest)
      case "node":
        return isNodeId(rest[0]) ? parseRequest(rest[0], rest.slice(1)) : undefined
      case "cluster":
        return parseCluster(rest)
      default:
        return parseRequest(undefined, [kind ?? "", ...rest])
    }
  }
}

type Tokens = ReadonlyArray<string>

const parsePeer = ([to, word, from, ...more]: Tokens): ParsedSubject | undefined =>
  isNodeId(to) && word === "from" && isNodeId(from) && more.length === 0
    ? { _tag: "Peer", to, from }
    : undefined

const parseGossip = ([word, from, ...more]: Tokens): ParsedSubject | undefined =>
  word === "from" && isNodeId(from) && more.length === 0 ? { _tag: "Gossip", from } : undefined

const parseCluster = ([verb, ...more]: Tokens): ParsedSubject | undefined =>
  verb !== undefined && verbPattern.test(verb) && more.length === 0
    ? { _tag: "Cluster", verb }
    : undefined

const parseRequest = (
  node: NodeId | undefined,
  [access, bucket, ...operationTokens]: Tokens
): ParsedSubject | undefined => {
  const operation = operationTokens.join(".")
  return (access === "read" || access === "write") && isBucketName(bucket)
      && isOperationName(operation)
    ? { _tag: "Request", node, request: { access, bucket, operation } }
    : undefined
}
