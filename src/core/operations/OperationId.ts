/**
 * Names one operation of one client in every way in, so that a retry can be told from a second
 * operation.
 */
export interface OperationId {
  readonly session: string
  readonly sequence: number
}
