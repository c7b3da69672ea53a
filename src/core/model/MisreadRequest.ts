/**
 * Refuses a request in which a number would not be the one that its client wrote, by the same error
 * and path as where the client's program gives the value itself.
 */
import { type Fault, pathText } from "../codec/Json.ts"
import * as Errors from "./StoreError.ts"

/** The steps to the arguments of an operation, in a request; 0 where a path leads elsewhere. */
const argumentsAt = ([first, , third]: Fault["path"]): number => {
  if (first === "args") return 1
  return first === "calls" && third === "args" ? 3 : 0
}

/** The error of a request with a fault in its JSON. */
export const misreadRequest = (bucket: string, { path, problem }: Fault): Errors.StoreError => {
  const args = argumentsAt(path)
  if (args > 0) {
    return new Errors.InvalidValue({ bucket, path: pathText(path.slice(args)), problem })
  }
  if (path[0] === "key") {
    const where = pathText(path.slice(1))
    return new Errors.InvalidKey({ bucket, problem: `${where}: ${problem}` })
  }
  const setting = String(path[0] ?? "request")
  return new Errors.InvalidRequest({ setting, value: problem, expected: "a number of its range" })
}
