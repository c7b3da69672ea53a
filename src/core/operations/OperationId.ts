/**
 * Names one operation of one client in every way in, so that a retry can be told from a second
 * operation.
 */
import { type RowKey, textOf } from "../model/RowKey.ts"

export interface OperationId {
  readonly session: string
  readonly sequence: number
}

/**
 * A text for one operation on one document. It is flat: memory keeps many, and each part of a
 * template would be kept as an object of its own.
 */
export const operationName = (key: RowKey, { sequence, session }: OperationId): string =>
  [textOf(key), sequence, session].join("\0")
