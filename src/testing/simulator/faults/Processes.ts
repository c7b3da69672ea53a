/**
 * Stops processes for a while, kills them, and starts them again.
 */
import { drawFew, drawSeries, type FaultClass, lasts } from "../FaultClass.ts"

/** How many of its tasks a process may still do before it dies amid its work. */
const tasksMax = 30

const pause: FaultClass = {
  name: "pause",
  what: "a process does nothing for a while; its messages wait, and are processed all at once",
  draw: (random, facts) =>
    drawSeries(random, facts, {
      pauseMeanMillis: 3_000,
      lastsMeanMillis: random.pick([50, 1_000, 5_000])
    }),
  begin: (cluster, { fault, id, node }) => {
    if (cluster.node(node).pause(id)) cluster.did(fault)
  },
  end: (cluster, { id, node }) => cluster.node(node).resume(id)
}

const crash: FaultClass = {
  name: "crash",
  what: "a process dies amid its work, and comes back as a new incarnation",
  draw: (random, facts) =>
    drawSeries(random, facts, {
      pauseMeanMillis: random.pick([1_000, 4_000]),
      lastsMeanMillis: random.pick([200, 2_000]),
      amount: () => random.integer(0, tasksMax)
    }),
  begin: (cluster, { amount, fault, node }) =>
    cluster.node(node).crashAfter(amount, () => cluster.did(fault)),
  end: (cluster, { node }) => cluster.node(node).start()
}

const fastRestart: FaultClass = {
  name: "fast restart",
  what: "a process dies, and its next incarnation starts in the same moment",
  draw: (random, facts) =>
    drawSeries(random, facts, { pauseMeanMillis: 3_000, lastsMeanMillis: 1 }),
  begin: (cluster, { fault, node }) => {
    if (cluster.node(node).crash()) cluster.did(fault)
    cluster.node(node).start()
  },
  end: lasts
}

const stop: FaultClass = {
  name: "stop",
  what: "a process ends as asked, and is started again",
  draw: (random, facts) =>
    drawSeries(random, facts, { pauseMeanMillis: 5_000, lastsMeanMillis: 3_000 }),
  begin: (cluster, { fault, node }) => {
    if (cluster.node(node).stop()) cluster.did(fault)
  },
  end: (cluster, { node }) => cluster.node(node).start()
}

const powerLoss: FaultClass = {
  name: "power loss",
  what: "all processes die at once, and come back",
  draw: (random, facts) => drawFew(random, facts, { most: 3, lastsMeanMillis: 500 }),
  begin: (cluster, { fault }) => {
    cluster.did(fault)
    for (const node of cluster.nodes.values()) node.crash()
  },
  end: (cluster) => cluster.start()
}

export const processFaults: ReadonlyArray<FaultClass> = [
  pause,
  crash,
  fastRestart,
  stop,
  powerLoss
]
