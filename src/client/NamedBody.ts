/**
 * Puts the name that its user gives a write into the body of its request, as an operation id.
 */
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import { operationIdOf } from "../core/model/WriteName.ts"
import type { BackendRequest } from "./Backend.ts"

export const namedBody = ({ body, id }: BackendRequest): RequestBody =>
  id === undefined ? body : { ...body, operationId: operationIdOf(id) }
