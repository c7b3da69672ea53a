/**
 * Asks backends by promises, which errors reject, for tests.
 */
import type { RequestBody } from "../../schemas/ClientRequest.ts"
import type { ExplainBody } from "../../schemas/Explanation.ts"
import type { ListBody } from "../../schemas/KeyPage.ts"
import type { Backend } from "../../src/client/Backend.ts"
import { BucketName } from "../../src/core/model/Names.ts"
import type { StoreError } from "../../src/core/model/StoreError.ts"

const asked = <A>(ask: (respond: (outcome: A | StoreError) => void) => void): Promise<A> =>
  new Promise((resolve, reject) =>
    ask((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)))
  )

export const read = (backend: Backend, name: string, body: RequestBody) =>
  asked((respond: Parameters<Backend["request"]>[1]) =>
    backend.request({ action: "read", bucket: BucketName.make(name), body }, respond)
  )

/** Carries out one operation, which its user may name. */
export const write = (
  backend: Backend,
  name: string,
  body: Omit<RequestBody, "calls"> & { readonly op: string },
  named: { readonly id?: string } = {}
) => {
  const { args = [], op, ...rest } = body
  const calls = [{ name: op, args }]
  return asked((respond: Parameters<Backend["request"]>[1]) =>
    backend.request(
      { action: "write", bucket: BucketName.make(name), body: { ...rest, calls }, ...named },
      respond
    )
  )
}

export const explain = (backend: Backend, name: string, body: ExplainBody) =>
  asked((respond: Parameters<Backend["explain"]>[1]) =>
    backend.explain({ ...body, bucket: BucketName.make(name) }, respond)
  )

export const list = (backend: Backend, name: string, body: ListBody = {}) =>
  asked((respond: Parameters<Backend["list"]>[1]) =>
    backend.list({ ...body, bucket: BucketName.make(name) }, respond)
  )

/** All keys, page by page. */
export const listAll = async (
  backend: Backend,
  name: string,
  limit: number
): Promise<ReadonlyArray<unknown>> => {
  const keys: Array<unknown> = []
  let next: string | undefined = undefined
  do {
    const page: Awaited<ReturnType<typeof list>> = await list(backend, name, {
      limit,
      ...(next === undefined ? {} : { after: next })
    })
    if (page.keys.length > limit) throw new Error(`${page.keys.length} keys, asked for ${limit}`)
    keys.push(...page.keys)
    next = page.next
  } while (next !== undefined)
  return keys
}
