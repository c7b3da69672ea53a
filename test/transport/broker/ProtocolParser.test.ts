// Checks that a stream reads the same however it is cut, and that garbage is refused, never worse.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type Command,
  ProtocolParser,
  ProtocolViolation
} from "../../../src/transport/broker/ProtocolParser.ts"

const limits = { controlLineBytesMax: 256, maxPayload: 1_000 }

/** The commands of a stream given in pieces, with copies of their bodies. */
const read = (pieces: ReadonlyArray<Uint8Array>): ReadonlyArray<Command> => {
  const commands: Array<Command> = []
  const parser = new ProtocolParser(limits, (command) => {
    commands.push(
      command._tag === "Publish"
        ? {
          _tag: "Publish",
          publication: { ...command.publication, body: new Uint8Array(command.publication.body) }
        }
        : command
    )
  })
  for (const piece of pieces) parser.push(Buffer.from(piece))
  return commands
}

const readText = (text: string): ReadonlyArray<Command> => read([Buffer.from(text, "latin1")])

const token = fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/u)
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join("."))
const optional = fc.option(token, { nil: undefined })
const body = fc.uint8Array({ maxLength: 300 })

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.constant({ _tag: "Ping" } as const),
  fc.constant({ _tag: "Pong" } as const),
  fc.record({ _tag: fc.constant("Subscribe" as const), subject, queue: optional, sid: token }),
  fc.record({ _tag: fc.constant("Unsubscribe" as const), sid: token, max: fc.nat(1_000) }),
  fc.json({ maxDepth: 1 }).filter((json) => json.length < 60)
    .map((json) => ({ _tag: "Connect" as const, json: ` ${json}` })),
  fc.record({ subject, reply: optional, body, headers: fc.nat(300) }).map(
    ({ body, headers, reply, subject }) => ({
      _tag: "Publish" as const,
      publication: { subject, reply, body, headerBytes: Math.min(headers, body.length) }
    })
  )
)

const words = (...parts: ReadonlyArray<string | number | undefined>): string =>
  parts.filter((part) => part !== undefined).join(" ")

/** As clients write it. */
const encode = (command: Command): Buffer => {
  switch (command._tag) {
    case "Ping":
    case "Pong":
      return Buffer.from(`${command._tag.toUpperCase()}\r\n`)
    case "Connect":
      return Buffer.from(`CONNECT${command.json}\r\n`)
    case "Subscribe":
      return Buffer.from(`${words("SUB", command.subject, command.queue, command.sid)}\r\n`)
    case "Unsubscribe":
      return Buffer.from(`${words("UNSUB", command.sid, command.max)}\r\n`)
    case "Publish": {
      const { body, headerBytes, reply, subject } = command.publication
      const head = headerBytes > 0
        ? words("HPUB", subject, reply, headerBytes, body.length)
        : words("PUB", subject, reply, body.length)
      return Buffer.concat([Buffer.from(`${head}\r\n`), body, Buffer.from("\r\n")])
    }
  }
}

const cutAt = (bytes: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length]
    .sort((a, b) => a - b)
  return places.slice(1).map((place, i) => bytes.subarray(places[i], place))
}

describe("the protocol parser", () => {
  it("reads clients' commands back, wherever the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 12 }),
        fc.array(fc.nat(4_000), { maxLength: 20 }),
        (commands, cuts) => {
          expect(read(cutAt(Buffer.concat(commands.map(encode)), cuts))).toEqual(commands)
        }
      )
    )
  })

  it("reads a stream cut at every single byte, and one byte at a time", () => {
    const text = "CONNECT {\"name\":\"ä\"}\r\nSUB a.> q 1\r\nPUB a.b r 5\r\nhe\r\no\r\nPING\r\n"
      + "HPUB a.b 12 14\r\nNATS/1.0\r\n\r\nhi\r\nUNSUB 1 5\r\nPUB x 0\r\n\r\nPONG\r\n"
    const bytes = Buffer.from(text)
    const whole = read([bytes])
    expect(whole).toHaveLength(8)
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(read([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole)
    }
    expect(read([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(whole)
  })

  it("takes lower case, tabs, runs of spaces and bare line feeds, as nats-server does", () => {
    const commands = readText("pub  a\t 2 \nhi\r\nSub a\t7\r\nping\n")
    const publication = { subject: "a", reply: undefined, headerBytes: 0, body: Buffer.from("hi") }
    expect(commands).toEqual([
      { _tag: "Publish", publication: { ...publication, body: new Uint8Array(publication.body) } },
      { _tag: "Subscribe", subject: "a", queue: undefined, sid: "7" },
      { _tag: "Ping" }
    ])
  })

  it.each([
    ["", "\r\n"],
    ["an unknown word", "HELLO\r\n"],
    ["a server's word", "INFO {}\r\n"],
    ["HTTP", "GET / HTTP/1.1\r\n"],
    ["PUB without a size", "PUB a\r\n"],
    ["PUB with too many words", "PUB a b c 1\r\n"],
    ["PUB with a size that is no number", "PUB a 1x\r\n"],
    ["PUB with a negative size", "PUB a -1\r\n"],
    ["PUB with a size beyond any number", "PUB a 99999999999999999999\r\n"],
    ["PUB with more than it announced", "PUB a 1\r\nxyz\r\n"],
    ["HPUB with more headers than body", "HPUB a 5 4\r\nabcd\r\n"],
    ["SUB without an id", "SUB a\r\n"],
    ["SUB with too many words", "SUB a b c d\r\n"],
    ["UNSUB without an id", "UNSUB\r\n"],
    ["UNSUB with a maximum that is no number", "UNSUB 1 x\r\n"]
  ])("refuses %s", (_, text) => {
    expect(() => readText(text)).toThrow(ProtocolViolation)
  })

  it("refuses a control line beyond its limit before its end has come", () => {
    expect(() => readText("P".repeat(257))).toThrow("Maximum Control Line Exceeded")
    expect(() => read(Array.from({ length: 257 }, () => Buffer.from("P")))).toThrow("Control Line")
  })

  it("refuses a body beyond the limit by its announcement, and takes one at the limit", () => {
    expect(() => readText("PUB a 1001\r\n")).toThrow("Maximum Payload Violation")
    expect(readText(`PUB a 1000\r\n${"x".repeat(1_000)}\r\n`)).toHaveLength(1)
  })

  it("meets any bytes with commands or a violation, and nothing else", () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.tuple(fc.array(command, { maxLength: 6 }), fc.array(fc.tuple(fc.nat(2_000), fc.nat(255))))
        .map(([commands, flips]) => {
          const bytes = Buffer.concat(commands.map(encode))
          for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value
          return bytes
        })
    )
    fc.assert(
      fc.property(noise, fc.array(fc.nat(400), { maxLength: 4 }), (bytes, cuts) => {
        try {
          read(cutAt(Buffer.from(bytes), cuts))
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolViolation)
        }
      }),
      { numRuns: 1_000 }
    )
  })
})
