/**
 * Puts descriptions, and the types of numbers and switches, where readers of an OpenAPI document
 * look for them: beside a parameter. A schema that is read from text loses both on the way.
 */
import { problemContentType, typePrefix } from "../../schemas/Problem.ts"

type Spec = Record<string, any>

const number = (minimum: number, maximum?: number): Spec => ({
  type: "integer",
  minimum,
  ...maximum === undefined ? {} : { maximum }
})

const flag = { type: "boolean" }

/** By name: the description, and the schema where the text's own says less. */
const parameters: Readonly<Record<string, readonly [about: string, schema?: Spec]>> = {
  bucket: ["The bucket; `GET /v1/buckets` lists all"],
  consistency: [
    "How much must agree: `available` asks for one replica; the bucket's own by default"
  ],
  limit: ["Most keys in the page; 100 by default", number(1, 1_000)],
  operation: ["The operation; `GET /v1/buckets/{bucket}` lists those of a bucket"],
  partial: ["Whether a page is welcome that lacks unreachable partitions", flag],
  siblings: ["Whether to answer all concurrent values, even where the node could merge them", flag],
  sloppy: ["Whether others may stand in for owners that cannot be reached: yes by default", flag],
  timeout: ["Milliseconds until the node gives up; its own limits by default", number(1, 60_000)]
}

const headers: typeof parameters = {
  "everwrite-context-omitted": [
    "There in place of a context that is too large for a header: its bytes. `POST .../read` and "
    + "`.../write` carry contexts in bodies",
    number(1)
  ],
  "everwrite-merged": ["There where the body was merged: of how many siblings", number(2)],
  "everwrite-replied": ["Replicas that had answered", number(0)],
  "everwrite-siblings": [
    "There where the body is `{\"siblings\":[...]}`: how many there are",
    number(0)
  ]
}

const told = (item: Spec, [about, schema]: readonly [about?: string, schema?: Spec]): Spec => {
  const { description, ...own } = item["schema"]
  return { ...item, description: about ?? description, schema: schema ?? own }
}

const tellAll = (
  items: Record<string, Spec>,
  texts: typeof parameters
): Record<string, Spec> =>
  Object.fromEntries(
    Object.entries(items).map(([name, item]) => [name, told(item, texts[name] ?? [])])
  )

/** An answer with its headers told, and a problem as it looks. */
const response = (status: string, given: Spec): Spec => {
  const shown = given["headers"] === undefined
    ? given
    : { ...given, headers: tellAll(given["headers"], headers) }
  const media = given["content"]?.[problemContentType]
  if (media === undefined) return shown
  const { description: detail } = given
  const example = {
    type: `${typePrefix}NameOfError`,
    title: "Title",
    status: Number(status),
    detail
  }
  return { ...shown, content: { [problemContentType]: { ...media, example } } }
}

const operationWithTexts = (operation: Spec): Spec => ({
  ...operation,
  parameters: operation["parameters"].map((item: Spec) =>
    told(item, parameters[item["name"]] ?? [])
  ),
  responses: Object.fromEntries(
    Object.entries<Spec>(operation["responses"]).map(([status, given]) => [
      status,
      response(status, given)
    ])
  )
})

export const withTexts = (spec: Spec): Spec => ({
  ...spec,
  paths: Object.fromEntries(
    Object.entries<Spec>(spec["paths"]).map(([path, operations]) => [
      path,
      Object.fromEntries(
        Object.entries<Spec>(operations).map((
          [method, operation]
        ) => [method, operationWithTexts(operation)])
      )
    ])
  )
})
