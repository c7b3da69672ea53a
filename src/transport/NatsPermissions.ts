/**
 * Says which subjects a user of the broker needs, and no others: the permissions by which the
 * broker itself refuses a forged frame, a write of a reader, and an operation that a user has
 * no right to.
 *
 * A user reads its answers below an inbox prefix of its own, so that no other user can subscribe to
 * them. Nodes may publish below all of these.
 *
 * @see https://docs.nats.io/running-a-nats-service/configuration/securing_nats/authorization
 */
import type { BucketName, ClusterName, NodeId } from "../core/model/Names.ts"
import { serviceName } from "./ServiceInfo.ts"
import { type Access, requestQueue, subjectPrefix, Subjects } from "./Subjects.ts"

/** What a user may do. A write is answered with the document, so a writer also reads. */
export type NatsRight =
  | { readonly _tag: "Node"; readonly node: NodeId }
  /** Of these buckets; of all where none is named. */
  | { readonly _tag: "Reader"; readonly buckets: ReadonlyArray<BucketName> }
  | { readonly _tag: "Writer"; readonly buckets: ReadonlyArray<BucketName> }
  /** These operations alone, each as a write of its own. */
  | { readonly _tag: "Operations"; readonly operations: ReadonlyArray<NamedOperation> }
  /** Sees the nodes as `nats micro` shows them, and what they tell of their cluster. */
  | { readonly _tag: "Observer" }

export interface NamedOperation {
  readonly bucket: BucketName
  readonly operation: string
}

/** Patterns of subjects that are allowed; all others are denied. */
export interface NatsPermissions {
  readonly publish: ReadonlyArray<string>
  readonly subscribe: ReadonlyArray<string>
}

/** Begins the reply subjects of all users of the template. */
const inboxes = "_INBOX"

/** Begins the reply subjects of one user. */
export const inboxPrefixOf = (user: string): string => `${inboxes}.${user}`

/** `$SRV.*` would let a node listen to `$SRV.>`: the server takes that `>` for a token. */
const serviceSubjects = ["PING", "INFO", "STATS"].flatMap((verb) =>
  ["", `.${serviceName}`, `.${serviceName}.*`].map((level) => `$SRV.${verb}${level}`)
)

/** A request to any node, and the same to each. */
const requests = (cluster: ClusterName, tail: string): ReadonlyArray<string> => [
  `${subjectPrefix(cluster)}${tail}`,
  `${subjectPrefix(cluster)}node.*.${tail}`
]

const access = (
  cluster: ClusterName,
  kind: Access,
  buckets: ReadonlyArray<BucketName>
): ReadonlyArray<string> =>
  buckets.length === 0
    ? requests(cluster, `${kind}.>`)
    : buckets.flatMap((bucket) => requests(cluster, `${kind}.${bucket}.>`))

/**
 * The subjects that a right consists of.
 *
 * **Guarantees** that a node publishes frames under its own name only; that a reader publishes no
 * subject of a write; that a user with operations publishes those of these operations alone, in a
 * batch too, and no `edit`, which carries any; that nobody but nodes subscribes to requests.
 */
export const permissionsOf = (
  cluster: ClusterName,
  user: string,
  right: NatsRight
): NatsPermissions => {
  const subjects = new Subjects(cluster)
  const own = `${inboxPrefixOf(user)}.>`
  const describe = subjects.cluster("describe")
  const asking = [describe, subjects.cluster("hints"), subjects.cluster("status")]
  switch (right._tag) {
    case "Node": {
      const { node } = right
      const shared = [subjects.requests("read"), subjects.requests("write"), subjects.clusters()]
      return {
        publish: [subjects.peersFrom(node), subjects.gossip(node), `${inboxes}.>`],
        subscribe: [
          subjects.peersTo(node),
          subjects.gossips(),
          subjects.nodeRequests(node),
          ...shared.map((pattern) => `${pattern} ${requestQueue}`),
          ...serviceSubjects,
          own
        ]
      }
    }
    case "Reader":
      return { publish: [...access(cluster, "read", right.buckets), describe], subscribe: [own] }
    case "Writer": {
      const { buckets } = right
      const both = [...access(cluster, "read", buckets), ...access(cluster, "write", buckets)]
      return { publish: [...both, ...asking, subjects.cluster("sync")], subscribe: [own] }
    }
    case "Operations": {
      const { operations } = right
      const tails = operations.map(({ bucket, operation }) => `write.${bucket}.${operation}`)
      return {
        publish: [...tails.flatMap((tail) => requests(cluster, tail)), describe],
        subscribe: [own]
      }
    }
    case "Observer":
      return { publish: ["$SRV.>", ...asking], subscribe: [own] }
  }
}
