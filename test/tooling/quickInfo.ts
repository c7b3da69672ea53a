/**
 * Asks the TypeScript language service for the text that an editor shows over a name.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

interface Reply {
  readonly id?: number
  readonly method?: string
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

const headerEnd = "\r\n\r\n"

/** A language service that speaks the Language Server Protocol over its standard streams. */
export class QuickInfo {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  #buffer = Buffer.alloc(0)
  #requests = 0
  #files = 0

  constructor() {
    this.#process = spawn(join(root, "node_modules/.bin/tsc"), ["--lsp", "--stdio"], { cwd: root })
    this.#process.stdout.on("data", (data: Buffer) => this.#hear(data))
    this.#process.stderr.resume()
  }

  async open(): Promise<void> {
    const capabilities = { textDocument: { hover: { contentFormat: ["markdown"] } } }
    await this.#request("initialize", {
      processId: process.pid,
      rootUri: pathToFileURL(root).href,
      capabilities
    })
    this.#notify("initialized", {})
  }

  /** The texts over each place marked with a caret in the line below it, in order. */
  async over(code: string): Promise<ReadonlyArray<string>> {
    const texts: Array<string> = []
    for (const params of this.#show(code)) {
      const { result } = await this.#request("textDocument/hover", params)
      texts.push(textOf(result))
    }
    return texts
  }

  /** Opens a file with this code; gives the places in it that are marked. */
  #show(code: string): ReadonlyArray<object> {
    const uri = pathToFileURL(join(root, `test/client/Shown${++this.#files}.ts`)).href
    this.#notify("textDocument/didOpen", {
      textDocument: { uri, languageId: "typescript", version: 1, text: code }
    })
    return code.split("\n").flatMap((line, index) => {
      const character = line.indexOf("^")
      return line.startsWith("//") && character !== -1
        ? [{ textDocument: { uri }, position: { line: index - 1, character } }]
        : []
    })
  }

  close(): void {
    this.#process.kill("SIGKILL")
  }

  #request(method: string, params: unknown): Promise<Reply> {
    const id = ++this.#requests
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (reply) => {
        if (reply.error === undefined) resolve(reply)
        else reject(new Error(`${method}: ${reply.error.message}`))
      })
      this.#send({ id, method, params })
    })
  }

  #notify(method: string, params: unknown): void {
    this.#send({ method, params })
  }

  #send(message: object): void {
    const text = JSON.stringify({ jsonrpc: "2.0", ...message })
    this.#process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}${headerEnd}${text}`)
  }

  #hear(data: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, data])
    for (;;) {
      const end = this.#buffer.indexOf(headerEnd)
      if (end === -1) return
      const [, length] = /Content-Length: (\d+)/iu.exec(this.#buffer.toString("utf8", 0, end)) ?? []
      const from = end + headerEnd.length
      const to = from + Number(length)
      if (this.#buffer.length < to) return
      const reply: Reply = JSON.parse(this.#buffer.toString("utf8", from, to))
      this.#buffer = this.#buffer.subarray(to)
      this.#take(reply)
    }
  }

  #take(reply: Reply): void {
    const { id, method } = reply
    if (id === undefined) return
    // The service asks for settings and the like: it has those that it begins with.
    if (method !== undefined) return this.#send({ id, result: null })
    this.#waiting.get(id)?.(reply)
    this.#waiting.delete(id)
  }
}

const textOf = (hover: any): string => {
  const contents = hover?.contents
  return typeof contents === "string" ? contents : contents?.value ?? ""
}
