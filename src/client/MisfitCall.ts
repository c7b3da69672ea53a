/**
 * Names the operation whose arguments are refused, and its place where it is one of an edit.
 */
import * as CanonicalJson from "../core/model/CanonicalJson.ts"
import { SchemaMismatch } from "../core/strategy/ValueCodec.ts"

export interface CallPlace {
  readonly operation: string
  /** From 0; undefined where the operation is alone. */
  readonly index: number | undefined
}

export class MisfitCall extends SchemaMismatch {
  readonly place: CallPlace
  constructor({ path, problem }: Pick<SchemaMismatch, "path" | "problem">, place: CallPlace) {
    super(path, problem)
    this.place = place
  }
}

/** What `make` returns; a refusal of it names the operation. */
export const inCall = <A>(place: CallPlace, make: () => A): A => {
  try {
    return make()
  } catch (thrown) {
    const isRefusal = thrown instanceof SchemaMismatch
      || thrown instanceof CanonicalJson.InvalidJson
    throw isRefusal && !(thrown instanceof MisfitCall) ? new MisfitCall(thrown, place) : thrown
  }
}
