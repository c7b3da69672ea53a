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
import { readFile } from "node:fs/promises"

export interface NatsOptions {
  /**
   * `nats://host:port`, or `tls://`, one or more, in an array or with commas between them;
   * `nats://user:password@host` and `nats://token@host` too.
   */
  readonly servers: string | ReadonlyArray<string>
  /** The connection's name, shown by the broker's monitoring: `everwrite/<node>`. */
  readonly name?: string | undefined
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
  /**
   * A broker that answers nothing is given up after `pingIntervalMillis * (pingsUnanswered + 1)`:
   * 3 s. The client's own default, 2 minutes, would lose everything published in that time.
   */
  readonly pingIntervalMillis?: number | undefined
  readonly pingsUnanswered?: number | undefined
  /** One attempt to connect. With the wait below, under the 2 s in which a cluster is back. */
  readonly connectTimeoutMillis?: number | undefined
  /** Between attempts, plus up to as much again at random. */
  readonly reconnectWaitMillis?: number | undefined
  readonly flushTimeoutMillis?: number | undefined
  /** How long closing waits for published messages; then they are lost. */
  readonly drainTimeoutMillis?: number | undefined
  /**
   * Bytes published and not known to have reached the broker. Above it messages are dropped, so it
   * must hold all messages published in one round trip: 8 MiB is 80 MB/s at 100 ms.
   */
  readonly waitingBytesMax?: number | undefined
}

export const natsDefaults = {
  pingIntervalMillis: 1_000,
  pingsUnanswered: 2,
  connectTimeoutMillis: 1_500,
  reconnectWaitMillis: 100,
  flushTimeoutMillis: 2_000,
  drainTimeoutMillis: 2_000,
  waitingBytesMax: 8 * 1024 * 1024
}

const serverUrls = ({ servers }: NatsOptions): ReadonlyArray<URL> => {
  const texts = typeof servers === "string" ? servers.split(",") : servers
  const urls = texts.flatMap((text) => {
    const url = URL.parse(text.includes("://") ? text : `nats://${text}`)
    return url !== null && /^(?:nats|tls):$/u.test(url.protocol) && url.hostname !== "" ? [url] : []
  })
  if (urls.length === 0 || urls.length < texts.length) {
    throw new Error("servers are given as nats://host:port")
  }
  return urls
}

/** The servers, for people: without user, password and token. */
export const serverAddresses = ({ servers }: NatsOptions): string =>
  (typeof servers === "string" ? servers : servers.join(",")).replaceAll(/[^/,@]*@/gu, "")

/** The client's options. Fails with an `Error` that names the setting at fault. */
export const clientOptions = async (options: NatsOptions): Promise<ConnectionOptions> => {
  const urls = serverUrls(options)
  const reconnectWait = options.reconnectWaitMillis ?? natsDefaults.reconnectWaitMillis
  const client: ConnectionOptions = {
    servers: urls.map((url) => url.host),
    pingInterval: options.pingIntervalMillis ?? natsDefaults.pingIntervalMillis,
    maxPingOut: options.pingsUnanswered ?? natsDefaults.pingsUnanswered,
    timeout: options.connectTimeoutMillis ?? natsDefaults.connectTimeoutMillis,
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
