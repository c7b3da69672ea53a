/**
 * Refuses a request in which a number would not be the one that its client wrote, by the same error
 * and path as where the client's program gives the value itself.
 */
import * as Json from "../core/codec/Json.ts"
import * as Errors from "../core/model/StoreError.ts"

/** The arguments of an operation in a path of a request, or of an array of operations. */
const argumentsAt = (path: Json.Path): number => {
  if (path[0] === "args") return 1
  return path[0] === "calls" && path[2] === "args" ? 3 : 0
}

/** The error of a request, as marked JSON; undefined where all its numbers are as written. */
export const misreadRequest = (bucket: string, json: unknown): Errors.StoreError | undefined => {
  const misread = Json.misreadIn(json)
  if (misread === undefined) return undefined
  const { path, problem } = misread
  const args = argumentsAt(path)
  if (args > 0) {
    return new Errors.InvalidValue({ bucket, path: Json.pathText(path.slice(args)), problem })
  }
  if (path[0] === "key") {
    const where = Json.pathText(path.slice(1))
    return new Errors.InvalidKey({ bucket, problem: `${where}: ${problem}` })
  }
  const setting = String(path[0] ?? "request")
  return new Errors.InvalidRequest({ setting, value: problem, expected: "a number of its range" })
}
