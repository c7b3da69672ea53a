/**
 * A request to change to another protocol is answered as any other, since none is spoken here. But
 * Node's parser reads no further than its body: a request behind it would never be answered, and a
 * malformed chunk in it would never be told. So it is the last of its connection, and brings its
 * body by length.
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { InvalidRequest } from "../core/model/StoreError.ts"

/** Whether a request asks for another protocol. */
export const asksToUpgrade = ({ headers }: Pick<HttpServerRequest, "headers">): boolean =>
  headers["upgrade"] !== undefined

/** Why a request that asks for another protocol is not taken; undefined where it is. */
export const upgradeFault = (
  request: Pick<HttpServerRequest, "headers">
): InvalidRequest | undefined => {
  const coding = request.headers["transfer-encoding"]
  if (coding === undefined || !asksToUpgrade(request)) return undefined
  const expected = "a body with content-length in a request that has an upgrade header"
  return new InvalidRequest({ setting: "transfer-encoding", value: coding, expected })
}
