/**
 * Lists the settings that say who may reach a node, and refuses those that leave a node open to a
 * network without anyone's saying so.
 */
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { areLoopback, isLoopback } from "../core/model/Loopback.ts"
import { publicAddress } from "../core/model/PublicAddress.ts"
import { areTokens, hashTokens } from "../http/AccessTokens.ts"
import { InvalidSetting, type JointFault, setting } from "./Setting.ts"

/** Only hashes are kept, and they hide like any secret. */
const Tokens = Schema.RedactedFromValue(
  Schema.String.check(Schema.makeFilter(areTokens)).pipe(
    Schema.decodeTo(Schema.Array(Schema.String), {
      decode: SchemaGetter.transform(hashTokens),
      encode: SchemaGetter.forbiddenEncoding
    })
  )
)

const hostsPattern = /^[^\s:/?#@,]+(?:, *[^\s:/?#@,]+)*$/u

const Hosts = Schema.String.check(Schema.isPattern(hostsPattern)).pipe(
  Schema.decodeTo(Schema.Array(Schema.String), {
    decode: SchemaGetter.transform((text) => text.split(",").map((host) => host.trim())),
    encode: SchemaGetter.transform((hosts: ReadonlyArray<string>) => hosts.join())
  })
)

const tokensExpected = "16 or more of A-Z, a-z, 0-9, -, ., _, ~, + and /; or several such texts "
  + "with commas between them"

export const edgeSettings = {
  httpToken: setting({
    variable: "EVERWRITE_HTTP_TOKEN",
    schema: Tokens,
    expected: tokensExpected,
    otherwise: undefined,
    about: "Token that HTTP asks for, as authorization: Bearer TOKEN; of several each is accepted, "
      + "so that one can be replaced. Without it all who reach HTTP may read and write.",
    secret: true
  }),
  httpAuth: setting({
    variable: "EVERWRITE_HTTP_AUTH",
    schema: Schema.Literals(["token", "proxy"]),
    expected: "token, proxy",
    otherwise: "token",
    about: "Who asks the users of HTTP for credentials: this node for a token, or a proxy through "
      + "which alone it can be reached. On loopback no token is needed."
  }),
  httpHosts: setting({
    variable: "EVERWRITE_HTTP_HOSTS",
    schema: Hosts,
    expected: "host names without ports, with commas between them",
    otherwise: undefined,
    about: "Names under which HTTP is asked, as the host header says. On loopback they come beside "
      + "localhost, 127.0.0.1 and [::1]; elsewhere any is taken unless there are some here."
  })
}

export interface EdgeValues {
  readonly clusterKey: Redacted.Redacted | undefined
  readonly nats: string
  readonly http: number | false
  readonly httpHost: string
  readonly httpAuth: "token" | "proxy"
  readonly httpToken: unknown
}

/** Beyond this machine there is no default for a secret: the settings that are missing, and why. */
export const openEdge = (values: EdgeValues): ReadonlyArray<JointFault> => {
  const { clusterKey, http, httpAuth, httpHost, httpToken, nats } = values
  const isHttpOpen = http !== false && !isLoopback(httpHost)
  const isNatsOpen = nats !== "embedded" && !areLoopback(nats)
  const origin = "by default"
  const faults: Array<JointFault> = []
  if (isHttpOpen && httpAuth === "token" && httpToken === undefined) {
    const expected = `a token, since HTTP listens on ${publicAddress(httpHost)}, where others can `
      + "reach it: set EVERWRITE_HTTP_TOKEN; or set EVERWRITE_HTTP_AUTH=proxy (--http-auth proxy) "
      + "where a proxy asks for credentials and alone can reach this node"
    const fault = new InvalidSetting({ setting: "httpToken", origin, expected })
    faults.push({ causes: ["http", "httpHost", "httpAuth", "httpToken"], fault })
  }
  if (clusterKey === undefined && (isNatsOpen || isHttpOpen)) {
    const where = isNatsOpen
      ? "the brokers are not on this machine"
      : `HTTP is on ${publicAddress(httpHost)}`
    const expected = `one secret on all nodes, since ${where}: set EVERWRITE_CLUSTER_KEY to at `
      + "least 16 characters, such as `openssl rand -hex 32` prints"
    const fault = new InvalidSetting({ setting: "clusterKey", origin, expected })
    faults.push({ causes: ["clusterKey", "nats", "http", "httpHost"], fault })
  }
  return faults
}
