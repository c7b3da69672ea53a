/**
 * Draws the limits of a plan's nodes: small ones that short runs reach, and the usual ones.
 */
import { lan } from "../../core/model/Limits.ts"
import type { PlannedLimits } from "./Plan.ts"
import type { SeededRandom } from "./SeededRandom.ts"

/** Above the largest document of the simulator's own workload. */
const reassembly = { bytes: [20_000, 100_000], parts: [64, 256] }

export const drawLimits = (random: SeededRandom): PlannedLimits => {
  const { node } = lan
  return {
    lateReplyBytesMax: random.pick([1, 1_000, 10_000, 10_000]),
    frameBytesTarget: random.pick([1, 300, 2_000, node.frameBytesTarget]),
    frameBufferBytes: random.pick([1, 400, node.frameBufferBytes]),
    spareBytesMax: random.pick([1, 2_000, node.spareBytesMax]),
    reassemblyBytesMax: random.pick(reassembly.bytes),
    reassemblyPartsMax: random.pick(reassembly.parts),
    firstPauseMillis: random.pick([50, node.firstPauseMillis, node.firstPauseMillis]),
    resendMinMillis: random.pick([10, node.resendMinMillis, node.resendMinMillis]),
    resendMaxMillis: random.pick([200, node.resendMaxMillis, node.resendMaxMillis]),
    sweepMillis: random.pick([5, node.sweepMillis]),
    operationIdsMax: random.pick([4, 16, 64, node.operationIdsMax, node.operationIdsMax]),
    forwardsSeenMax: random.pick([1, 8, node.forwardsSeenMax]),
    formAskMillis: random.pick([20, node.formAskMillis]),
    // Rare, or two crashes in one moment would make nodes forget what they were told.
    toldMillis: random.pick([1, 20]),
    mendedDocumentsMax: random.pick([1, node.mendedDocumentsMax]),
    counterUpdatesMax: random.pick([1, 2, node.counterUpdatesMax]),
    // A disk that syncs for 50 ms falls behind with smaller groups, and rightly refuses writes.
    groupChangesMax: random.pick([16, 64, node.groupChangesMax]),
    groupBytesMax: random.pick([8_000, 40_000, node.groupBytesMax]),
    groupsInFlightMax: random.pick([node.groupsInFlightMax, 2, 3]),
    waitingChangesMax: random.pick([200, node.waitingChangesMax]),
    waitingBytesMax: random.pick([60_000, node.waitingBytesMax]),
    shownWaitMillis: random.pick([1, 20, node.shownWaitMillis]),
    shownWaitsMax: random.pick([1, 4, node.shownWaitsMax]),
    deferralChecksMax: random.pick([1, node.deferralChecksMax]),
    skewMillis: random.pick([10, 200, 10_000]),
    clockWindowMillis: random.pick([100, 5_000, node.clockWindowMillis]),
    clockSamplesMax: random.pick([1, 2, node.clockSamplesMax]),
    greetMillis: random.pick([500, 2_000, 10_000]),
    processCheckMillis: random.pick([100, 1_000, node.processCheckMillis]),
    partsPauseMillis: random.pick([5, node.partsPauseMillis]),
    partsAsksMax: random.pick([1, node.partsAsksMax]),
    finishedRunsMax: random.pick([1, node.finishedRunsMax]),
    sentRunsBytesMax: random.pick([1, 20_000, node.sentRunsBytesMax]),
    sentRunMillis: random.pick([10, node.sentRunMillis]),
    partsInFlightBytesMax: random.pick([8_000, 40_000, node.partsInFlightBytesMax]),
    partsWaitingBytesMax: random.pick([1, 20_000, node.partsWaitingBytesMax]),
    // Above 100 even a change that is larger than its document travels in its place.
    deltaPercentMax: random.pick([node.deltaPercentMax, 100, 10_000, 10_000, 10_000]),
    shownBytesMax: random.pick([0, 60, node.shownBytesMax, node.shownBytesMax]),
    recentEditsMax: random.pick([1, 2, 8, node.recentEditsMax]),
    recentEditsBytesMax: random.pick([300, 2_000, node.recentEditsBytesMax]),
    lastIssuedDotsMax: random.pick([0, 3, 20, node.lastIssuedDotsMax]),
    documentActorsMax: random.pick([3, 10, node.documentActorsMax, node.documentActorsMax]),
    documentBytesMax: random.pick([200, 1_000, node.documentBytesMax, node.documentBytesMax]),
    elementsMax: random.pick([2, 10, node.elementsMax, node.elementsMax]),
    siblingsMax: random.pick([1, 3, node.siblingsMax, node.siblingsMax]),
    // A smaller window loses most of what a slow network reorders.
    frameWindow: random.pick([64, 256, node.frameWindow]),
    frameWindowsMax: random.pick([1, node.frameWindowsMax]),
    turnStepsMax: random.pick([1, 3, node.turnStepsMax, node.turnStepsMax]),
    ...random.chance(overloadShare) ? drawAdmission(random) : {},
    // None, some groups, or more than a node writes between two starts.
    logBytesMax: random.pick([0, 2_000, 8_000, 40_000]),
    logGrowthBytes: random.pick([1, 1_000, node.logGrowthBytes]),
    foldRowsMax: random.pick([1, 8, node.foldRowsMax]),
    readAllPercent: random.pick([0, 0, node.readAllPercent, 100]),
    lateReadMinMillis: random.pick([1, node.lateReadMinMillis]),
    ...drawMembership(random),
    hintBytesMax: random.pick([1, 4_000, node.hintBytesMax, node.hintBytesMax]),
    handoffCheckMillis: random.pick([20, node.handoffCheckMillis]),
    handoffWaitMillis: random.pick([50, node.handoffWaitMillis]),
    handoffsInFlightMax: random.pick([1, node.handoffsInFlightMax]),
    handoffBytesInFlightMax: random.pick([1, node.handoffBytesInFlightMax])
  }
}

/** Of the plans: in the others no node ever has too much to do. */
const overloadShare = 0.2

/** So few requests at once that some are refused. */
const drawAdmission = (random: SeededRandom): PlannedLimits => ({
  admittedMin: random.integer(1, 3),
  admittedFirst: random.integer(1, 4),
  waitTargetMillis: random.pick([1, 10, lan.node.waitTargetMillis]),
  writeTargetMillis: random.pick([10, lan.node.writeTargetMillis]),
  admissionWindowMillis: random.pick([10, lan.node.admissionWindowMillis]),
  waitProbeMillis: random.pick([1, lan.node.waitProbeMillis]),
  waitProbesMax: random.pick([1, lan.node.waitProbesMax])
})

/** Gossip that is slow, and little of it; detectors that are hasty. */
const drawMembership = (random: SeededRandom): PlannedLimits => {
  const { node } = lan
  return {
    gossipMillis: random.pick([500, node.gossipMillis, 5_000]),
    gossipBytesPerSecond: random.pick([1_300, node.gossipBytesPerSecond, 10_000]),
    gossipMessageBytesMax: random.pick([500, 600]),
    gossipFanOut: random.pick([1, node.gossipFanOut]),
    gossipAtOnceMillis: random.pick([1, node.gossipAtOnceMillis]),
    pingMillis: random.pick([node.pingMillis, 1_000]),
    ackMillis: random.pick([10, node.ackMillis]),
    pingRelays: random.pick([1, node.pingRelays]),
    pingsForOthersMax: random.pick([1, node.pingsForOthersMax]),
    suspicionMinMillis: random.pick([100, node.suspicionMinMillis]),
    suspicionMaxMillis: random.pick([node.suspicionMinMillis, node.suspicionMaxMillis]),
    healthMax: random.pick([1, node.healthMax])
  }
}
