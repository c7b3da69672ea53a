/**
 * Says which names an operation may have: steps joined by dots, the fields on the way to a part of
 * a data type and the operation on it, `lines.quantity.add`. A name is part of a subject and of a
 * path.
 */

/** Longest step, in characters. */
const stepLengthMax = 64

/** Most steps; the last one is the operation itself. */
export const stepsMax = 8

/** Longest name, in characters. */
export const operationLengthMax = stepsMax * (stepLengthMax + 1) - 1

const step = `[A-Za-z0-9_-]{1,${stepLengthMax}}`
const pattern = new RegExp(`^${step}(?:\\.${step}){0,${stepsMax - 1}}$`, "u")

export const isOperationName = (text: string): boolean => pattern.test(text)

/** The operation of a request, in its subject and in metrics: `edit` where it has several. */
export const operationOf = (
  action: "read" | "write",
  calls: ReadonlyArray<{ readonly name: string }> | undefined
): string => {
  if (action === "read") return "get"
  const only = calls?.length === 1 ? calls[0] : undefined
  return only?.name ?? "edit"
}
