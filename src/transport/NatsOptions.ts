/**
 * Turns this project's NATS settings into the client's, and reads the files that they name.
 *
 * The names follow natscli's environment variables (`NATS_CREDS`, `NATS_CERT`, ...). Secrets go
 * to the client only: no error and no address repeats them.
 */
import {
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
  type TlsOptions
} from "@nats-io/transport-node"
import { lan, type NatsLimits } from "../core/model/Limits.ts"
import { natsServers, natsServersExpected } from "../core/model/NatsServers.ts"
import { publicAddress } from "../core/model/PublicAddress.ts"
import { readFile } from "node:fs/promises"
import { TransportUnavailable } from "./Transport.ts"

/** The limits that are not those of a local network. */
type OwnLimits = { readonly [Name in keyof NatsLimits]?: NatsLimits[Name] | undefined }

export interface NatsOptions extends OwnLimits {
  /**
   * `nats://host:port`, or `tls://`, one or more, in an array or with commas between them;
   * `nats://user:password@host` and `nats://token@host` too.
   */
  readonly servers: string | ReadonlyArray<string>
  /** The connection's name, shown by the broker's monitoring: `everwrite/<node>`. */
  readonly name?: string | undefined
  /** Whether large answers to clients have a connection of their own: for nodes. */
  readonly answersApart?: boolean | undefined
  /** A `.creds` file: JWT and nkey seed. */
  readonly credsFile?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly token?: string | undefined
  readonly nkeySeed?: string | undefined
  /** Paths of PEM files. */
  readonly tls?: {
    readonly cert?: string | undefined
    readonly key?: string | undefined
    readonly ca?: string | undefined
  } | undefined
  /** Begins every reply subject, where permissions ask for one of this user's own. */
  readonly inboxPrefix?: string | undefined
}

const serverUrls = ({ servers }: NatsOptions): ReadonlyArray<URL> => {
  const urls = natsServers(servers)
  if (urls === undefined) throw new Error(`servers are given as ${natsServersExpected}`)
  return urls
}

/** The servers, for people: without user, password and token. */
export const serverAddresses = ({ servers }: NatsOptions): string =>
  publicAddress(typeof servers === "string" ? servers : servers.join(","))

/** The client's options. Fails with an `Error` that names the setting at fault. */
export const clientOptions = async (options: NatsOptions): Promise<ConnectionOptions> => {
  const urls = serverUrls(options)
  const reconnectWait = options.reconnectWaitMillis ?? lan.nats.reconnectWaitMillis
  const client: ConnectionOptions = {
    servers: urls.map((url) => url.host),
    pingInterval: options.pingIntervalMillis ?? lan.nats.pingIntervalMillis,
    maxPingOut: options.pingsUnanswered ?? lan.nats.pingsUnanswered,
    timeout: options.connectTimeoutMillis ?? lan.nats.connectTimeoutMillis,
    reconnectTimeWait: reconnectWait,
    reconnectJitter: reconnectWait,
    reconnectJitterTLS: reconnectWait,
    maxReconnectAttempts: -1,
    waitOnFirstConnect: false,
    // A broker that refuses this user for a while (a reload, a rotated key) is tried again.
    ignoreAuthErrorAbort: true
  }
  if (options.name !== undefined) client.name = options.name
  if (options.inboxPrefix !== undefined) client.inboxPrefix = options.inboxPrefix
  const secured = urls.some(({ protocol }) => protocol === "tls:")
  if (options.tls !== undefined || secured) client.tls = tlsOptions(options.tls ?? {})
  return { ...client, ...await credentials(options, urls) }
}

const tlsOptions = ({ cert, key, ca }: NonNullable<NatsOptions["tls"]>): TlsOptions => {
  const tls: TlsOptions = {}
  if (cert !== undefined) tls.certFile = cert
  if (key !== undefined) tls.keyFile = key
  if (ca !== undefined) tls.caFile = ca
  return tls
}

type Credentials = Pick<ConnectionOptions, "authenticator" | "user" | "pass" | "token">

/** Of several kinds the most particular; the settings come before those in the URL. */
const credentials = async (
  { credsFile, nkeySeed, password, token, user }: NatsOptions,
  urls: ReadonlyArray<URL>
): Promise<Credentials> => {
  if (credsFile !== undefined) {
    return { authenticator: credsAuthenticator(await readCredentials(credsFile)) }
  }
  if (nkeySeed !== undefined) {
    return { authenticator: nkeyAuthenticator(new TextEncoder().encode(nkeySeed)) }
  }
  if (token !== undefined) return { token }
  if (user !== undefined) return { user, pass: password ?? "" }
  const url = urls.find(({ username }) => username !== "")
  if (url === undefined) return {}
  const first = decodeURIComponent(url.username)
  return url.password === ""
    ? { token: first }
    : { user: first, pass: decodeURIComponent(url.password) }
}

const readCredentials = async (path: string): Promise<Uint8Array> => {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new Error(`the credentials file ${path} cannot be read`, { cause })
  }
}

/** Fails where no attempt with these options can succeed. */
export const checkOptions = async (options: NatsOptions): Promise<void> => {
  try {
    await clientOptions(options)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const address = serverAddresses(options)
    throw new TransportUnavailable({ address, reason, isMisconfigured: true })
  }
}
