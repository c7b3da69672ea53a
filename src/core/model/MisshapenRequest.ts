/**
 * Refuses a request whose JSON does not have the shape of one: by the name of the part at fault,
 * its value and the values that fit there.
 */
import type * as Schema from "effect/Schema"
import { schemaFault, shownAt, stepsText } from "./SchemaFault.ts"
import { InvalidRequest } from "./StoreError.ts"

/** The error of JSON that a schema refuses; `whole` names it where it is at fault as a whole. */
export const misshapenRequest = (
  error: Schema.SchemaError,
  { json, whole }: { readonly json: unknown; readonly whole: string }
): InvalidRequest => {
  const { expected, path } = schemaFault(error)
  const setting = stepsText(path)
  const value = shownAt(json, path)
  return setting === ""
    ? new InvalidRequest({ setting: whole, value, expected: `a request, which is an ${expected}` })
    : new InvalidRequest({ setting, value, expected })
}
