/**
 * Checks that a program gives to connecting, since one without types may give anything: each fault
 * is an error that names it.
 */
import { isObject } from "../core/model/CanonicalJson.ts"
import { InvalidRequest } from "../core/model/StoreError.ts"

const refuse = (setting: string, value: unknown, expected: string): never => {
  throw new InvalidRequest({ setting, value: shown(value), expected })
}

const shown = (value: unknown): string => {
  if (value === undefined) return "missing"
  if (isEmpty(value)) return "empty"
  if (!Array.isArray(value)) return typeof value
  return `a list of ${[...new Set(value.map((each) => typeof each))].join(", ")}`
}

const isEmpty = (value: unknown): boolean =>
  typeof value === "string"
    ? value.trim() === ""
    : typeof value === "object" && value !== null && Object.keys(value).length === 0

const isText = (value: unknown): value is string => typeof value === "string" && !isEmpty(value)

/** Buckets by names. */
export const checkBuckets = (buckets: unknown): void => {
  if (!isObject(buckets) || isEmpty(buckets)) {
    return refuse(
      "buckets",
      buckets,
      "an object of buckets by their names, such as { carts: Carts }"
    )
  }
  for (const [name, bucket] of Object.entries(buckets)) {
    if (isObject(bucket) && isObject(bucket["definition"]) && isObject(bucket["code"])) continue
    refuse(`bucket ${name}`, bucket, "a bucket that Bucket.lww, merge, siblings or crdt made")
  }
}

/** Where the brokers are, unless there is a connection. */
export const checkServers = (options: unknown): void => {
  const { connection, servers } = isObject(options) ? options : {}
  if (connection !== undefined) return
  const isGiven = Array.isArray(servers)
    ? !isEmpty(servers) && servers.every(isText)
    : isText(servers)
  if (!isGiven) refuse("servers", servers, "nats://host:port, one or several")
}

/** Where a node is. */
export const checkUrl = (options: unknown): void => {
  const { url } = isObject(options) ? options : {}
  if (!isText(url)) refuse("url", url, "the address of a node, such as http://127.0.0.1:7420")
}
