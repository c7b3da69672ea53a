/**
 * What a node thinks of each of the others: a value of which every message makes a new one.
 *
 * The peers stand in rows, so that a new one copies one row and the list of rows, not all peers: a
 * node among a thousand is told of each message of each of them.
 */
import type { NodeId } from "../model/Names.ts"
import type { Version } from "./Version.ts"

export interface Doubt {
  readonly version: Version
  readonly accusers: ReadonlySet<NodeId>
  readonly since: number
  readonly isDown: boolean
}

export interface Peer {
  /** The greatest version that is known of it. */
  readonly version: Version
  readonly heardAt: number
  readonly doubt: Doubt | undefined
}

type Entry = readonly [node: NodeId, peer: Peer]
type Row = ReadonlyArray<Entry>

const rowSize = 32

export class Peers {
  readonly #places: ReadonlyMap<NodeId, number>
  readonly #rows: ReadonlyArray<Row>
  readonly #doubted: ReadonlySet<NodeId>

  private constructor(
    places: ReadonlyMap<NodeId, number>,
    rows: ReadonlyArray<Row>,
    doubted: ReadonlySet<NodeId>
  ) {
    this.#places = places
    this.#rows = rows
    this.#doubted = doubted
  }

  /** **Requires** nodes that differ. They keep this order. */
  static of(entries: ReadonlyArray<Entry>): Peers {
    const places = new Map(entries.map(([node], place) => [node, place]))
    const rows = Array.from(
      { length: Math.ceil(entries.length / rowSize) },
      (_, row) => entries.slice(row * rowSize, (row + 1) * rowSize)
    )
    const doubted = entries.filter(([, { doubt }]) => doubt !== undefined).map(([node]) => node)
    return new Peers(places, rows, new Set(doubted))
  }

  get size(): number {
    return this.#places.size
  }

  nodes(): ReadonlyArray<NodeId> {
    return [...this.#places.keys()]
  }

  entries(): ReadonlyArray<Entry> {
    return this.#rows.flat()
  }

  /** Few, for the most part. */
  doubted(): ReadonlyArray<readonly [node: NodeId, doubt: Doubt]> {
    return [...this.#doubted].map((node) => [node, this.get(node)!.doubt!])
  }

  has(node: NodeId): boolean {
    return this.#places.has(node)
  }

  get(node: NodeId): Peer | undefined {
    const place = this.#places.get(node)
    return place === undefined ? undefined : this.#rows[rowOf(place)]![place % rowSize]![1]
  }

  /** With another opinion of one of them. A stranger changes nothing. */
  with(node: NodeId, peer: Peer): Peers {
    const place = this.#places.get(node)
    if (place === undefined) return this
    const row = this.#rows[rowOf(place)]!.with(place % rowSize, [node, peer])
    const rows = this.#rows.with(rowOf(place), row)
    return new Peers(this.#places, rows, this.#doubtedWith(node, peer))
  }

  #doubtedWith(node: NodeId, { doubt }: Peer): ReadonlySet<NodeId> {
    const isDoubted = doubt !== undefined
    if (this.#doubted.has(node) === isDoubted) return this.#doubted
    const doubted = new Set(this.#doubted)
    if (isDoubted) doubted.add(node)
    else doubted.delete(node)
    return doubted
  }

  /** The nodes of which the opinion may be another than before; all, where they were others. */
  changed(before: Peers): ReadonlyArray<NodeId> {
    const isSame = this.#places === before.#places
    return this.#rows.flatMap((row, at) => {
      const former = isSame ? before.#rows[at]! : []
      return row === former ? [] : row.filter((entry, i) => entry !== former[i])
    }).map(([node]) => node)
  }
}

const rowOf = (place: number): number => Math.floor(place / rowSize)
