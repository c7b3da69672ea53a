/**
 * Draws HTTP requests: those of every route, with changed methods, paths, queries, headers, bodies
 * and framing, as bytes for a connection.
 */
import type { Drawing } from "./Drawing.ts"
import { changedBytes, changedJson, oddTexts } from "./mutations.ts"

type Header = readonly [name: string, value: string]

interface HttpSample {
  readonly method: string
  readonly path: string
  readonly headers?: ReadonlyArray<Header>
  readonly body?: string
}

const documents = (bucket: string, query = "key=k"): string => `/v1/buckets/${bucket}/docs?${query}`

const operation = (name: string): string => `/v1/buckets/shelves/docs/ops/${name}?key=k`

const sample = (
  method: string,
  path: string,
  body?: unknown,
  headers: ReadonlyArray<Header> = []
): HttpSample => ({
  method,
  path,
  headers,
  ...body === undefined ? {} : { body: JSON.stringify(body) }
})

const key = { hotel: "Ritz", floor: 3, name: "Suite" }
const roomQuery = `key=${encodeURIComponent(JSON.stringify(key))}`

export const httpSamples: ReadonlyArray<HttpSample> = [
  sample("GET", documents("shelves", "key=k&r=all&timeout=400")),
  sample("GET", documents("notes", "key=k&consistency=strong&siblings=true")),
  sample("GET", documents("rooms", roomQuery), undefined, [["everwrite-after", "AAAA,AAAA"]]),
  sample("PUT", documents("profiles", "key=k&w=all"), { name: "n" }, [["idempotency-key", "i1"]]),
  sample("PUT", documents("scores", "key=k&dw=1&pw=1"), 7),
  sample("PUT", documents("notes"), "a note", [["everwrite-context", "AAAA"]]),
  sample("DELETE", documents("notes")),
  sample("DELETE", documents("profiles")),
  sample("POST", operation("visits.add"), [1], [["everwrite-if-unknown", "apply"]]),
  sample("POST", operation("label.set"), [{ a: [1, { b: "c" }] }]),
  sample("POST", operation("edit"), [{ name: "books.add", args: ["a"] }]),
  sample("GET", "/v1/buckets/notes/siblings?key=k&pr=1"),
  sample("POST", "/v1/buckets/shelves/read", { key: "k", r: "quorum", merge: true }),
  sample("POST", "/v1/buckets/shelves/write", {
    key: "k",
    calls: [{ name: "visits.add", args: [1] }],
    operationId: { session: "s", sequence: 1 },
    timeoutMillis: 500
  }),
  sample("GET", "/v1/buckets"),
  sample("GET", "/v1/buckets/shelves"),
  sample("GET", "/v1/buckets/notes/keys?limit=10&partial=true"),
  sample("GET", "/v1/cluster"),
  sample("GET", "/v1/explain?bucket=shelves&key=k"),
  sample("POST", "/v1/sync?bucket=shelves&timeout=10"),
  sample("GET", "/v1/hints"),
  sample("GET", "/v1/status?timeout=10"),
  sample("GET", "/livez"),
  sample("GET", "/readyz"),
  sample("GET", "/metrics"),
  sample("GET", "/openapi.json")
]

const methods = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"]
const oddMethods = [...methods, "get", "QUERY", "G\u0000T", "", "x".repeat(400), "PRI", "SEARCH"]
const versions = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "http/1.1", ""]

/** Percent-encodings, right and wrong, and what paths are made of. */
const pathPieces = [
  "%",
  "%00",
  "%2",
  "%2F",
  "%2e%2e",
  "%ff",
  "%C0%80",
  "%ED%A0%80",
  "%F0%9F%A7%91",
  "/",
  "//",
  "/..",
  "?",
  "&",
  "&key=",
  "&key=other",
  "=",
  "#",
  "*",
  "+",
  ";",
  ":",
  "@",
  "\\",
  "http://localhost/",
  "x".repeat(5_000),
  "%41".repeat(2_000),
  "&a=b".repeat(2_000)
]

const changedPath = (draw: Drawing, path: string): string => {
  const at = draw.below(path.length + 1)
  const until = draw.oneIn(2) ? at : at + draw.few(12)
  const piece = draw.oneIn(3) ? draw.of(httpSamples).path : draw.of(pathPieces)
  return path.slice(0, at) + piece + path.slice(until)
}

const oddHeaders: ReadonlyArray<Header> = [
  ["host", "localhost"],
  ["host", "evil.example"],
  ["host", ""],
  ["origin", "http://evil.example"],
  ["origin", "null"],
  ["content-type", "application/json; charset=utf-16"],
  ["content-type", "text/plain"],
  ["content-type", "multipart/form-data; boundary=x"],
  ["content-type", "application/json"],
  ["content-encoding", "gzip"],
  ["transfer-encoding", "chunked"],
  ["transfer-encoding", "gzip, chunked"],
  ["content-length", "0"],
  ["content-length", "-1"],
  ["content-length", "5"],
  ["content-length", "99999999999999999999"],
  ["content-length", "1e3"],
  ["connection", "upgrade, keep-alive"],
  ["upgrade", "websocket"],
  ["upgrade", "h2c"],
  ["expect", "100-continue"],
  ["expect", "the worst"],
  ["accept", "text/html"],
  ["accept-encoding", "br"],
  ["range", "bytes=0-1"],
  ["if-none-match", "*"],
  ["authorization", "Bearer aaaaaaaaaaaaaaaaaaaaaaaa"],
  ["authorization", "Basic eDp4"],
  ["x-http-method-override", "DELETE"],
  ["x-forwarded-for", "127.0.0.1"],
  ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  ["b3", "0"],
  ["cookie", "a=b; __proto__=c"],
  ["everwrite-context", "\u00ff"],
  ["everwrite-after", "A,".repeat(2_000)],
  ["everwrite-fingerprint", "0123456789abcdef"],
  ["idempotency-key", ""],
  ["__proto__", "x"],
  ["x-long", "x".repeat(17_000)],
  [" folded", "x"],
  ["no colon\r\nnext", "x"]
]

const chunked = (draw: Drawing, body: Buffer): Buffer => {
  const parts: Array<Buffer> = []
  for (let at = 0; at < body.length;) {
    const piece = body.subarray(at, at + draw.few(4_000))
    const extension = draw.oneIn(10) ? ";a=b" : ""
    parts.push(Buffer.from(`${piece.length.toString(16)}${extension}\r\n`), piece)
    parts.push(Buffer.from("\r\n"))
    at += piece.length
  }
  parts.push(Buffer.from(draw.oneIn(10) ? "0\r\ntrailer: x\r\n\r\n" : "0\r\n\r\n"))
  return Buffer.concat(parts)
}

/** A body and the headers that frame it. */
const framed = (draw: Drawing, body: Buffer | undefined): [Buffer, ReadonlyArray<Header>] => {
  if (body === undefined) return [Buffer.alloc(0), []]
  const type: Header = ["content-type", "application/json"]
  if (draw.oneIn(4)) return [chunked(draw, body), [type, ["transfer-encoding", "chunked"]]]
  const length = draw.oneIn(30) ? body.length + draw.below(9) - 4 : body.length
  return [body, [type, ["content-length", String(length)]]]
}

const changedBody = (draw: Drawing, body: string): Buffer => {
  const other = draw.of(httpSamples).body ?? body
  const text = draw.oneIn(4) ? body : changedJson(draw, body, other)
  const bytes = Buffer.from(text)
  return draw.oneIn(6) ? Buffer.from(changedBytes(draw, bytes)) : bytes
}

/** The bytes of one request, changed somewhere. */
export const drawHttp = (draw: Drawing): Buffer => {
  const { body, headers = [], method, path } = draw.of(httpSamples)
  const withBody = body ?? (draw.oneIn(15) ? "[1]" : undefined)
  const changed = withBody === undefined ? undefined : changedBody(draw, withBody)
  const [content, framing] = framed(draw, changed)
  const usual: ReadonlyArray<Header> = [["host", "localhost"], ...headers, ...framing]
  const all = draw.oneIn(2) ? usual : [
    ...usual.filter(() => !draw.oneIn(8)),
    ...Array.from({ length: draw.few(3) }, (): Header => {
      const [name, value] = draw.of(oddHeaders)
      return draw.oneIn(4) ? [name, draw.of(oddTexts)] : [name, value]
    })
  ]
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`).join("")
  const said = draw.oneIn(8) ? draw.of(oddMethods) : method
  const target = draw.oneIn(2) ? path : changedPath(draw, path)
  const version = draw.oneIn(12) ? draw.of(versions) : "HTTP/1.1"
  const head = Buffer.from(`${said} ${target} ${version}\r\n${lines}\r\n`, "latin1")
  const bytes = Buffer.concat([head, content])
  return draw.oneIn(12) ? Buffer.from(changedBytes(draw, bytes)) : bytes
}
