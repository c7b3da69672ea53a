/**
 * Checks a value by a JSON Schema as validators do, for the keywords that our documents have.
 *
 * @see https://json-schema.org/draft/2020-12/json-schema-validation
 */
import { isObject } from "../../src/core/model/CanonicalJson.ts"

type JsonSchema = Readonly<Record<string, any>>

/** A keyword with its value, and the schema around it. */
type Rule = (value: any, told: any, schema: JsonSchema, check: Check) => boolean
type Check = (schema: JsonSchema, value: unknown) => boolean

const typeOf = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "array"
  return typeof value
}

const isOf = (value: unknown, type: string): boolean =>
  type === "integer" ? Number.isInteger(value) : typeOf(value) === type

const same = (left: unknown, right: unknown): boolean =>
  JSON.stringify(left) === JSON.stringify(right)

const extra = (value: object, { patternProperties = {}, properties = {} }: JsonSchema) =>
  Object.entries(value).filter(([name]) =>
    !Object.hasOwn(properties, name)
    && !Object.keys(patternProperties).some((pattern) => new RegExp(pattern, "u").test(name))
  )

const says: Rule = () => true

const rules: Readonly<Record<string, Rule>> = {
  title: says,
  description: says,
  example: says,
  examples: says,
  format: says,
  type: (value, told) => [told].flat().some((type) => isOf(value, type)),
  enum: (value, told) => told.some((one: unknown) => same(one, value)),
  const: (value, told) => same(told, value),
  minLength: (value, told) => typeof value !== "string" || Array.from(value).length >= told,
  maxLength: (value, told) => typeof value !== "string" || Array.from(value).length <= told,
  pattern: (value, told) => typeof value !== "string" || new RegExp(told, "u").test(value),
  minimum: (value, told) => typeof value !== "number" || value >= told,
  maximum: (value, told) => typeof value !== "number" || value <= told,
  minItems: (value, told) => !Array.isArray(value) || value.length >= told,
  maxItems: (value, told) => !Array.isArray(value) || value.length <= told,
  prefixItems: (value, told, _, check) =>
    !Array.isArray(value) || value.every((item, i) => i >= told.length || check(told[i], item)),
  items: (value, told, { prefixItems = [] }, check) =>
    !Array.isArray(value) || value.slice(prefixItems.length).every((item) => check(told, item)),
  required: (value, told) =>
    !isObject(value) || told.every((name: string) => Object.hasOwn(value, name)),
  properties: (value, told, _, check) =>
    !isObject(value)
    || Object.entries(value).every(([name, one]) =>
      !Object.hasOwn(told, name) || check(told[name], one)
    ),
  additionalProperties: (value, told, schema, check) =>
    !isObject(value) || extra(value, schema).every(([, one]) => told !== false && check(told, one)),
  anyOf: (value, told, _, check) => told.some((one: JsonSchema) => check(one, value)),
  allOf: (value, told, _, check) => told.every((one: JsonSchema) => check(one, value))
}

/** Whether the schema takes a value; `schemas` are those that it may point to. */
export const validates = (
  schemas: Readonly<Record<string, JsonSchema>>,
  schema: JsonSchema,
  value: unknown
): boolean => {
  const check: Check = (part, inner) =>
    Object.entries(part).every(([keyword, told]) => {
      if (keyword === "$ref") {
        return check(schemas[told.replace("#/components/schemas/", "")]!, inner)
      }
      const rule = rules[keyword]
      if (rule === undefined) throw new Error(`no rule for ${keyword}`)
      return rule(inner, told, part, check)
    })
  return check(schema, value)
}
