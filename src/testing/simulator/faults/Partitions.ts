/**
 * Cuts ways between nodes. Each way is cut by itself, as in a cluster of brokers: connectivity is
 * neither symmetric nor transitive.
 */
import { drawSeries, type FaultClass } from "../FaultClass.ts"
import type { PlannedFault } from "../Plan.ts"

type Ways = ReadonlyArray<readonly [from: string, to: string]>

/** The ways between those pairs of nodes that are parted; both ways are asked about. */
const between = (
  nodes: ReadonlyArray<string>,
  isParted: (from: number, to: number) => boolean
): Ways =>
  nodes.flatMap((from, i) =>
    nodes.flatMap((to, j) => (i !== j && isParted(i, j) ? [[from, to] as const] : []))
  )

const partition = (
  name: string,
  what: string,
  waysOf: (nodes: ReadonlyArray<string>, fault: PlannedFault) => Ways
): FaultClass => ({
  name,
  what,
  draw: (random, facts) =>
    drawSeries(random, facts, {
      pauseMeanMillis: 5_000,
      lastsMeanMillis: random.pick([300, 3_000, 15_000]),
      amount: () => random.integer(1, 2 ** facts.nodes.length - 2)
    }),
  begin: ({ network, nodes }, fault) => {
    for (const [from, to] of waysOf([...nodes.keys()], fault)) network.cut(name, from, to)
  },
  end: ({ network, nodes }, fault) => {
    for (const [from, to] of waysOf([...nodes.keys()], fault)) network.mend(name, from, to)
  }
})

const isInHalf = (amount: number, index: number): boolean => (amount >>> index & 1) === 1

export const partitionFaults: ReadonlyArray<FaultClass> = [
  partition(
    "halves",
    "the nodes are parted into two halves",
    (nodes, { amount }) => between(nodes, (i, j) => isInHalf(amount, i) !== isInHalf(amount, j))
  ),
  partition(
    "lone node",
    "one node is parted from all others",
    (nodes, { node }) => between(nodes, (i, j) => nodes[i] === node || nodes[j] === node)
  ),
  partition("ring", "each node reaches only the next one and the one before", (nodes) => {
    const distance = (i: number, j: number) => (i - j + nodes.length) % nodes.length
    return between(nodes, (i, j) => ![1, nodes.length - 1].includes(distance(i, j)))
  }),
  partition(
    "one way",
    "no message that a node sends arrives, though it hears the others",
    (nodes, { node }) => between(nodes, (i) => nodes[i] === node)
  ),
  partition("pair", "two nodes do not reach each other, though all others reach both", (nodes, {
    node,
    other
  }) =>
    between(
      nodes,
      (i, j) => [node, other].includes(nodes[i]!) && [node, other].includes(nodes[j]!)
    ))
]
