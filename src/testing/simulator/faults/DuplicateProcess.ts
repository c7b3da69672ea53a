/**
 * Lets two processes run under one id, as after a machine was cloned: each receives the messages to
 * the id, each has clients, and each keeps its data on a disk of its own. One disk is lost.
 */
import { drawFew, type FaultClass } from "../FaultClass.ts"

export const twins: FaultClass = {
  name: "twin",
  what: "a second process runs for a while under a node's id, on a copy of its disk",
  draw: (random, facts) =>
    drawFew(random, facts, { most: 2, lastsMeanMillis: 3_000, node: facts.victim }),
  begin: (cluster, { fault, node }) => {
    if (!cluster.node(node).startTwin()) return
    cluster.twinned.add(node)
    cluster.didDamage(fault, node)
  },
  end: (cluster, { node }) => cluster.node(node).endTwin()
}
