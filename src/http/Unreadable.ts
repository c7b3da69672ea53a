/**
 * Answers connections whose request Node cannot read. Its own answers have no body, so that a
 * caller with a large context would not learn what is wrong.
 */
import type { Duplex } from "node:stream"
import { type Problem, problemContentType } from "../../schemas/Problem.ts"
import { problem, retryAfterSeconds } from "./Answers.ts"

// As in Server.ts: an import would load more.
const { STATUS_CODES } = process.getBuiltinModule("node:http")

const headersTooLarge = problem("HeadersTooLarge", {
  status: 431,
  title: "Headers too large",
  detail: "the headers, or the request's line, are larger than this server takes; POST to "
    + "/v1/buckets/BUCKET/read or /write, whose bodies carry contexts of any size"
})

const unreadable = problem("Unreadable", {
  status: 400,
  title: "Not HTTP",
  detail: "the request is not one of HTTP/1.1"
})

export const tooSlow = problem("TooSlow", {
  status: 408,
  title: "Too slow",
  detail: "the request did not come whole in time"
})

export const overloaded = problem("Overloaded", {
  status: 503,
  title: "Overloaded",
  detail: "clients hold as much of this node as they may: send the request again later, or to "
    + "another node; it was not carried out"
})

/** An answer as bytes, for a connection that has none of Node's to write by. */
export const rawAnswer = (problem: Problem): string => {
  const { status } = problem
  const body = `${JSON.stringify(problem)}\n`
  const retry = status === 503 ? `retry-after: ${retryAfterSeconds}\r\n` : ""
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n${retry}`
    + `content-type: ${problemContentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
    + `x-content-type-options: nosniff\r\n\r\n${body}`
}

const noTunnel = problem("NoTunnel", {
  status: 405,
  title: "No tunnels",
  detail: "CONNECT asks for a tunnel, which this server does not make"
})

/** Node closes a connection that asks for a tunnel, without a word, where nobody listens for it. */
export const refuseTunnel = (_: unknown, socket: Duplex): void => {
  socket.on("error", () => void socket.destroy())
  socket.end(rawAnswer(noTunnel))
}

/** Node answers what it cannot read without a body; a caller is told here what is wrong. */
export const refuseUnreadable = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy()
  const problem = error.code === "HPE_HEADER_OVERFLOW"
    ? headersTooLarge
    : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
    ? tooSlow
    : unreadable
  socket.end(rawAnswer(problem))
}
