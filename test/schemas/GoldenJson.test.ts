// Checks that the JSON which clients and nodes of earlier versions send is still read, whole.
import { readdirSync, readFileSync } from "node:fs"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { ReplyBody } from "../../schemas/ClientAnswer.ts"
import { RequestBody } from "../../schemas/ClientRequest.ts"
import { AnyDescription, ClusterDescription } from "../../schemas/ClusterDescription.ts"
import { readForward, writeForward } from "../../src/coordinator/ForwardCodec.ts"

const golden = (format: string): ReadonlyArray<readonly [name: string, text: string]> => {
  const folder = new URL(`../golden/${format}/`, import.meta.url)
  return readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), "utf8")])
}

/** Some JSON after it was read and written: all of it, where the shape is known. */
const throughSchema = (schema: Schema.Codec<any, any>) => (text: string): unknown =>
  Schema.encodeSync(schema)(Schema.decodeUnknownSync(schema)(JSON.parse(text)))

const readWholly = {
  "request-1": (text: string): unknown => {
    const { operationId, ...rest } = Schema.decodeUnknownSync(RequestBody)(JSON.parse(text))
    // The time at which an operation was issued means nothing any more.
    const { at } = JSON.parse(text).operationId ?? {}
    if (operationId === undefined) return rest
    return { ...rest, operationId: at === undefined ? operationId : { ...operationId, at } }
  },
  "answer-1": throughSchema(ReplyBody),
  "cluster-1": (text: string): unknown => {
    const read = Schema.decodeUnknownSync(AnyDescription)(JSON.parse(text))
    const written = JSON.stringify(Schema.encodeSync(ClusterDescription)(read))
    // An earlier version named the age of a frame otherwise.
    const name = text.includes("unheardMillis") ? "unheardMillis" : "lastFrameAgeMillis"
    return JSON.parse(written.replaceAll("lastFrameAgeMillis", name))
  },
  "forward-1": (text: string): unknown => {
    const read = readForward(Buffer.from(text))
    if (read === undefined) return undefined
    const { sending: _, ...written } = JSON.parse(Buffer.from(writeForward(read)).toString())
    // The incarnation that it asks means nothing any more.
    return { ...written, to: JSON.parse(text).to }
  },
  "forward-2": (text: string): unknown => {
    const read = readForward(Buffer.from(text))
    return read === undefined ? undefined : JSON.parse(Buffer.from(writeForward(read)).toString())
  }
}

describe.each(Object.entries(readWholly))("format %s", (format, read) => {
  it.each(golden(format))("keeps every field of its golden JSON: %s", (_, text) => {
    expect(read(text)).toEqual(JSON.parse(text))
  })
})

it("every folder of golden samples is in the list of formats", () => {
  const list = readFileSync(new URL("../../schemas/README.md", import.meta.url), "utf8")
  const folders = readdirSync(new URL("../golden/", import.meta.url))
  expect(folders.filter((folder) => !list.includes(`\`${folder}\``))).toEqual([])
})

it("golden requests name every field that a request may have", () => {
  const named = golden("request-1").flatMap(([, text]) => Object.keys(JSON.parse(text)))
  expect(new Set(named)).toEqual(new Set(Object.keys(RequestBody.fields)))
})
