/**
 * Says how each operation of a data type is called, with the words that an editor shows over it.
 * Operations are written out here by name, since editors show no words over members of mapped
 * types; and they are members of no interface, since editors would show its arguments first.
 */

/** The arguments before and after those of an operation, and what its caller gets. */
export interface Call {
  readonly before: ReadonlyArray<unknown>
  readonly after: ReadonlyArray<unknown>
  readonly out: unknown
}

type Arguments = ReadonlyArray<unknown>

/** The operations of a data type, each called so; those of nested types are nested likewise. */
export type OperationMethods<Ops, C extends Call> =
  & NestedOperations<Ops, C>
  & OfCounterOrSet<Ops, C>
  & OfRegister<Ops, C>
  & OfMap<Ops, C>

type NestedOperations<Ops, C extends Call> = {
  readonly [Name in keyof Ops as Ops[Name] extends Arguments ? never : Name]: OperationMethods<
    Ops[Name],
    C
  >
}

type OfCounterOrSet<Ops, C extends Call> = Ops extends { readonly add: infer Add extends Arguments }
  ? Ops extends { readonly remove: infer Remove extends Arguments } ? {
      /**
       * Adds an element. It is there once, however often it is added, and an addition wins over a
       * removal at the same time.
       *
       * **Fails with** `InvalidValue` where the element does not fit the schema; otherwise as every
       * write does, and then says whether it may have applied.
       */
      readonly add: (...args: [...C["before"], ...Add, ...C["after"]]) => C["out"]
      /**
       * Removes an element, as far as it was seen: by the entry given as `seen`, or by the node.
       * An addition at the same time stays. It is no error where there is no such element.
       *
       * **Fails with** `InvalidValue` where the element does not fit the schema; otherwise as every
       * write does, and then says whether it may have applied.
       */
      readonly remove: (...args: [...C["before"], ...Remove, ...C["after"]]) => C["out"]
    }
  : {
    /**
     * Adds an integer, which may be negative. Additions at the same time all count, each once.
     *
     * **Fails with** `InvalidValue` where the amount is no integer; otherwise as every write does,
     * and then says whether it may have applied.
     */
    readonly add: (...args: [...C["before"], ...Add, ...C["after"]]) => C["out"]
  }
  : {}

type OfRegister<Ops, C extends Call> = Ops extends {
  readonly set: infer Set extends Arguments
  readonly clear: infer Clear extends Arguments
} ? {
    /**
     * Writes the value. Of values written at the same time the last one wins.
     *
     * **Fails with** `InvalidValue` where the value does not fit the schema; otherwise as every
     * write does, and then says whether it may have applied.
     */
    readonly set: (...args: [...C["before"], ...Set, ...C["after"]]) => C["out"]
    /**
     * Removes the value that was seen: by the entry given as `seen`, or by the node. A value that
     * is written at the same time stays.
     *
     * **Fails** as every write does, and then says whether it may have applied.
     */
    readonly clear: (...args: [...C["before"], ...Clear, ...C["after"]]) => C["out"]
  }
  : {}

type OfMap<Ops, C extends Call> = Ops extends { readonly drop: infer Drop extends Arguments } ? {
    /**
     * Removes an entry with all in it, as far as it was seen: by the entry of the document given as
     * `seen`, or by the node. Content that is added at the same time stays, and the entry with it.
     *
     * **Fails** as every write does, and then says whether it may have applied.
     */
    readonly drop: (...args: [...C["before"], ...Drop, ...C["after"]]) => C["out"]
  }
  : {}
