/**
 * Lets values be declared by a schema of another library that follows Standard Schema (zod,
 * valibot, arktype), as far as it checks values and changes none.
 *
 * A stored value is written by one program and read by another, so it must be its own JSON, and the
 * same before and after each check; a schema that transforms has no way back. A check answers at
 * once, because a node checks between two messages.
 *
 * @see https://standardschema.dev
 */
import * as Schema from "effect/Schema"
import * as CanonicalJson from "../model/CanonicalJson.ts"
import { InvalidDeclaration } from "./InvalidDeclaration.ts"

type Step = PropertyKey | { readonly key: PropertyKey }

interface Issue {
  readonly message: string
  readonly path?: ReadonlyArray<Step> | undefined
}

type Checked<A> = { readonly value: A; readonly issues?: undefined } | {
  readonly issues: ReadonlyArray<Issue>
}

/** The part of a Standard Schema that is needed: `A` is the type before and after the check. */
export interface StandardSchema<A> {
  readonly "~standard": {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Checked<A> | PromiseLike<Checked<A>>
    readonly types?: { readonly input: A; readonly output: A } | undefined
  }
}

export interface StandardOptions {
  /**
   * Bump it when the schema means something else. It stands for the schema in the bucket's
   * fingerprint, since such a schema says nothing of its shape. 1 unless said otherwise.
   */
  readonly version?: number
}

const isLater = <A>(outcome: A | PromiseLike<A>): outcome is PromiseLike<A> =>
  typeof outcome === "object" && outcome !== null && "then" in outcome

const pathOf = (path: Issue["path"] = []): ReadonlyArray<PropertyKey> =>
  path.map((step) => typeof step === "object" ? step.key : step)

const sameJson = (left: unknown, right: unknown): boolean => {
  try {
    return CanonicalJson.encode(left) === CanonicalJson.encode(right)
  } catch (thrown) {
    if (thrown instanceof CanonicalJson.InvalidJson) return false
    throw thrown
  }
}

const problemsOf = <A>(schema: StandardSchema<A>, value: unknown): Schema.FilterOutput => {
  const outcome = schema["~standard"].validate(value)
  if (isLater(outcome)) return "the schema answers later, and a value is checked at once"
  if (outcome.issues !== undefined) {
    return outcome.issues.map(({ message, path }) => ({ path: pathOf(path), issue: message }))
  }
  return sameJson(value, outcome.value)
    || "the schema changes this value, and a stored value stays as it was given"
}

const isStandard = (schema: unknown): schema is StandardSchema<unknown> => {
  if (schema === null || (typeof schema !== "object" && typeof schema !== "function")) return false
  const standard: unknown = Reflect.get(schema, "~standard")
  return typeof standard === "object" && standard !== null && "validate" in standard
    && typeof standard.validate === "function"
}

/**
 * Declares values by a Standard Schema. Of its values, those are taken that are JSON and that it
 * gives back unchanged: a default that is filled in, a text that is trimmed and a property that is
 * left out are refused.
 *
 * **Fails with** `InvalidDeclaration`, thrown, for what is no Standard Schema, or answers later.
 *
 * ```ts
 * const Profile = fromStandardSchema(z.object({ name: z.string() }))
 * Bucket.lww("profiles", { key: Key.text, value: Profile })
 * ```
 */
export const fromStandardSchema = <A>(
  schema: StandardSchema<A>,
  { version = 1 }: StandardOptions = {}
): Schema.Codec<A, Schema.Json> => {
  if (!isStandard(schema)) throw new InvalidDeclaration("expected a Standard Schema")
  // Most schemas that answer later do so for any value.
  const tried = schema["~standard"].validate(null)
  if (isLater(tried)) {
    // Its rejection is nobody's.
    tried.then(undefined, () => undefined)
    throw new InvalidDeclaration(
      "the Standard Schema answers later; expected one that checks at once"
    )
  }
  // The name is all of it that a fingerprint sees.
  const identifier = `standard-schema-${version}`
  const checked: any = Schema.Json
    .check(Schema.makeFilter((value: Schema.Json) => problemsOf(schema, value)))
    .annotate({ identifier })
  return checked
}
