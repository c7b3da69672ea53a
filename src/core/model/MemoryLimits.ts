/**
 * Lists how much memory the storage thread may take: unit, formula, reason, and the value for any
 * network.
 */

const mebibyte = 2 ** 20

export const lanMemory = {
  /**
   * Bytes of the young generation of the storage thread, whose garbage is a group's: V8 would let
   * it grow to 192 MiB. Less collects more often, and moves what is in use more often.
   */
  threadYoungBytesMax: 12 * mebibyte
}
