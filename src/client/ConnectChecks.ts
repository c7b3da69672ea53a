/**
 * Checks that a program gives to connecting, since one without types may give anything: each fault
 * is an error that names it.
 */
import { isObject } from "../core/model/CanonicalJson.ts"
import { InvalidRequest } from "../core/model/StoreError.ts"

const refuse = (setting: string, value: unknown, expected: string): never => {
  const shown = value === undefined ? "missing" : typeof value
  throw new InvalidRequest({ setting, value: shown, expected })
}

const isText = (value: unknown): value is string => typeof value === "string"

/** Buckets by names. */
export const checkBuckets = (buckets: unknown): void => {
  if (!isObject(buckets)) return refuse("buckets", buckets, "an object of buckets by their names")
  for (const [name, bucket] of Object.entries(buckets)) {
    if (isObject(bucket) && isObject(bucket["definition"]) && isObject(bucket["code"])) continue
    refuse(`bucket ${name}`, bucket, "a bucket that Bucket.lww, merge, siblings or crdt made")
  }
}

/** Where the brokers are, unless there is a connection. */
export const checkServers = (options: unknown): void => {
  const { connection, servers } = isObject(options) ? options : {}
  if (connection !== undefined) return
  const isGiven = Array.isArray(servers) ? servers.every(isText) : isText(servers)
  if (!isGiven) refuse("servers", servers, "nats://host:port, one or several")
}

/** Where a node is. */
export const checkUrl = (options: unknown): void => {
  const { url } = isObject(options) ? options : {}
  if (!isText(url)) refuse("url", url, "the address of a node, such as http://127.0.0.1:7420")
}
