/**
 * Writes the configuration of a nats-server for one cluster: an account, a user for each node and
 * each client with the permissions of its right, and the limits that keep a client who reads
 * nothing from holding up all others.
 *
 * @see https://docs.nats.io/running-a-nats-service/configuration
 */
import { lanServer, type ServerLimits } from "../core/model/EdgeLimits.ts"
import type { ClusterName } from "../core/model/Names.ts"
import { inboxPrefixOf, type NatsRight, permissionsOf } from "../transport/NatsPermissions.ts"

export interface NatsUser {
  /** A token of a subject: it is a part of the user's inbox prefix. */
  readonly name: string
  readonly right: NatsRight
  /** Undefined leaves it to a variable of the server's environment. */
  readonly password: string | undefined
}

export interface NatsConfigOptions {
  readonly cluster: ClusterName
  readonly host: string
  readonly port: number
  readonly users: ReadonlyArray<NatsUser>
  /** Those of a local network unless others are given. */
  readonly limits?: ServerLimits
}

/** The variable of the server's environment that holds a user's password. */
export const passwordVariable = (user: string): string =>
  `NATS_PASSWORD_${user.toUpperCase().replaceAll("-", "_")}`

const quoted = (text: string): string => JSON.stringify(text)

const listed = (patterns: ReadonlyArray<string>): string =>
  patterns.map((pattern) => `            ${quoted(pattern)}`).join("\n")

const userText = (cluster: ClusterName, { name, password, right }: NatsUser): string => {
  const { publish, subscribe } = permissionsOf(cluster, name, right)
  const secret = password === undefined ? `$${passwordVariable(name)}` : quoted(password)
  return `      # ${right._tag.toLowerCase()}: NATS_INBOX_PREFIX=${inboxPrefixOf(name)}
      {
        user: ${quoted(name)}
        password: ${secret}
        permissions: {
          publish: { allow: [
${listed(publish)}
          ] }
          subscribe: { allow: [
${listed(subscribe)}
          ] }
        }
      }`
}

/**
 * The text of a configuration file.
 *
 * **Requires** that no two users have the same name.
 *
 * **Guarantees** that nobody connects without one of these users, and that each may do what its
 * right says and nothing else.
 */
export const natsConfig = (options: NatsConfigOptions): string => {
  const { cluster, host, limits = lanServer, port, users } = options
  return `# Everwrite cluster ${cluster}: printed by \`everwrite nats-config\`.
# Passwords and data cross the network as they are: add a tls block beyond loopback.
host: ${quoted(host)}
port: ${port}

# A client that reads nothing is cut off before it holds up the nodes that answer it.
max_payload: ${limits.maxPayload}
max_pending: ${limits.waitingBytesMax}
write_deadline: "${limits.writeDeadlineMillis}ms"

accounts {
  EVERWRITE {
    users: [
${users.map((user) => userText(cluster, user)).join("\n")}
    ]
  }
}
`
}
