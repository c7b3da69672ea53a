/**
 * Takes the broker from all nodes at once, or lets one node's connection choke.
 */
import { drawFew, drawSeries, type FaultClass } from "../FaultClass.ts"

export const brokerFaults: ReadonlyArray<FaultClass> = [
  {
    name: "broker",
    what: "the broker stops, which its clients notice after 3 s, and starts without memory",
    draw: (random, facts) =>
      drawFew(random, facts, { most: 3, lastsMeanMillis: random.pick([100, 2_000, 8_000]) }),
    begin: ({ network }) => network.stopBroker(),
    end: ({ network }) => network.startBroker()
  },
  {
    name: "full buffer",
    what: "a node's connection takes nothing for a while: its messages are dropped",
    draw: (random, facts) =>
      drawSeries(random, facts, { pauseMeanMillis: 4_000, lastsMeanMillis: 300 }),
    begin: ({ network, nodes }, { fault, node }) => {
      for (const other of nodes.keys()) network.cut(fault, node, other)
    },
    end: ({ network, nodes }, { fault, node }) => {
      for (const other of nodes.keys()) network.mend(fault, node, other)
    }
  }
]
