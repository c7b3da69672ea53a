/**
 * Keeps limits, intervals and sizes in one file, where operators find them and tests make them
 * tiny. Other files hold those that formats, joins and the shape of a table rest on.
 */
import type { ESTree } from "rolldown/utils"
import { at, isCode, type Rule, type SourceFile, walk } from "./Source.ts"

const limits = [
  "",
  "Answer",
  "AntiEntropy",
  "Delta",
  "Disk",
  "Edge",
  "Growth",
  "Handoff",
  "Log",
  "Membership",
  "Memory",
  "Nats",
  "Read",
  "Watch"
]
const limitsFiles = limits.map((of) => `src/core/model/${of}Limits.ts`)

/** By file: formats, joins and contracts rest on these, or they shape a text for people. */
export const structural: Readonly<Record<string, ReadonlyArray<string>>> = {
  "schemas/AnswerPart.ts": ["headerBytesMax"],
  "schemas/ClientRequest.ts": ["itemsMax", "sessionLengthMax", "triedMax"],
  "schemas/KeyPage.ts": ["pageMax"],
  "src/cli/Input.ts": ["shownLengthMax"],
  "src/cli/NatsConfigCommand.ts": ["passwordBytes"],
  "src/cli/Output.ts": ["cellLengthMax"],
  "src/client/CallSite.ts": ["framesMax"],
  "src/client/PlacedError.ts": ["shownLengthMax"],
  "src/client/RequestOutbox.ts": ["bracketBytes"],
  "src/core/anti-entropy/Sketch.ts": ["sliceBitsMax"],
  "src/coordinator/ForwardsSeen.ts": ["sendersMax"],
  "src/coordinator/PeerMarks.ts": ["nodesMax"],
  "src/coordinator/NatsOrigin.ts": ["descriptionLengthMax"],
  "src/coordinator/ReplyOutbox.ts": ["bracketBytes", "faultBytesMax"],
  "src/core/Mac.ts": ["blockBytes", "hashBytes", "gatheredBytesMax", "headLengthMax"],
  "src/core/clock/CausalContext.ts": ["macBytes"],
  "src/core/clock/HybridClock.ts": ["wallMaxMicros"],
  "src/core/codec/Bytes.ts": ["varintBytesMax", "asciiBytesMax"],
  "src/core/codec/Json.ts": ["depthMax", "shownLengthMax"],
  "src/core/crdt/StoreCodec.ts": ["depthMax"],
  "src/core/crdt/Sum.ts": ["sumBytesMax", "halfMax", "numberBytes"],
  "src/core/membership/GossipMessage.ts": ["rootBytes", "groupsMax"],
  "src/core/membership/Suspicion.ts": ["confirmationsMax"],
  "src/core/membership/Version.ts": ["versionPartMax"],
  "src/core/model/CanonicalJson.ts": ["depthMax", "nodesMax"],
  "src/core/model/DefinitionDifference.ts": ["shownLengthMax"],
  "src/core/model/DocumentKey.ts": ["keyLengthMax"],
  "src/core/model/NearestName.ts": ["lengthMax", "beginningMin"],
  "src/core/model/OperationName.ts": ["stepLengthMax", "stepsMax", "operationLengthMax"],
  "src/core/model/SchemaFault.ts": ["shownLengthMax"],
  "src/core/model/WriteName.ts": ["nameLengthMax"],
  "src/core/quorum/Quorum.ts": ["replicasMax"],
  "src/core/quorum/Targets.ts": ["nodesMax"],
  "src/core/ring/LogEntry.ts": ["changesMax", "predecessorsMax"],
  "src/core/ring/MembershipLog.ts": ["entriesMax"],
  "src/core/ring/Partition.ts": ["defaultPartitionCount"],
  "src/core/ring/Ring.ts": ["defaultReplicaCount"],
  "src/core/strategy/Bucket.ts": ["nMax"],
  "src/gossip/FormerIncarnations.ts": ["rememberedMax"],
  "src/gossip/PeerClocks.ts": ["leadNoiseMillis"],
  "src/http/StrictRequest.ts": ["shownLengthMax"],
  "src/replica/MemoryOf.ts": [
    "documentBytes",
    "actorBytes",
    "historyBytes"
  ],
  "src/replica/Hints.ts": ["hintBytes", "loadedAtOnce"],
  "src/replica/OperationIndex.ts": ["loadedAtOnce", "removedAtOnce"],
  "src/node/ClusterKey.ts": ["keyIdLength"],
  "src/node/LiveRuntime.ts": ["idLength"],
  "src/node/Setting.ts": ["shownLengthMax"],
  "src/replica/RowCodec.ts": ["digestBytes"],
  "src/replica/TravellingEdits.ts": ["leafBytes", "actorBytes"],
  "src/storage/RowMemory.ts": ["pieceBytes", "headBytes"],
  "src/storage/LogFormat.ts": ["headerBytes", "fixedBytes"],
  "src/storage/TableWriter.ts": ["insideBytesMax"],
  "src/storage/AcceptedBatch.ts": ["rowBytes"],
  "src/storage/Tables.ts": ["pageBytes"],
  "src/transport/AntiEntropyMessages.ts": ["digestBytes"],
  "src/transport/Frame.ts": [
    "headerBytesMax",
    "keyIdBytes",
    "macBytes",
    "incarnationLength",
    "numberBytes"
  ],
  "src/transport/DeltaMessages.ts": ["digestBytes"],
  "src/transport/FrameWindows.ts": ["overheadBytes"],
  "src/transport/NatsHeaders.ts": ["traceBytes"],
  "src/transport/NatsTransport.ts": ["envelopeBytes"],
  "src/transport/PeerMessageCodec.ts": ["ringDigestBytes", "reasonLengthMax"]
}

const limitName =
  /(Millis|Micros|Bytes|Payload|Length|Count|Max|Min|Limit|Target|Default|Interval|AtOnce)$/u

/** A number that is written out: 0 and 1 begin something, and limit nothing. */
const isLimit = (node: ESTree.Node | null): boolean => {
  switch (node?.type) {
    case "Literal":
      return typeof node.value === "number" && node.value > 1
    case "BinaryExpression":
      return isLimit(node.left) && isLimit(node.right)
    default:
      return false
  }
}

const limitsIn = (file: SourceFile): ReadonlyArray<string> => {
  const found: Array<string> = []
  const check = (key: ESTree.Node, value: ESTree.Node | null): void => {
    if (key.type !== "Identifier" || !limitName.test(key.name) || !isLimit(value)) return
    if (structural[file.path]?.includes(key.name) === true) return
    found.push(`${at(file, key.start)} sets ${key.name}, which belongs into ${limitsFiles[0]}`)
  }
  walk(file, {
    VariableDeclarator: ({ id, init }) => check(id, init),
    Property: ({ key, value }) => check(key, value),
    PropertyDefinition: ({ key, value }) => check(key, value),
    AssignmentPattern: ({ left, right }) => check(left, right),
    LogicalExpression: ({ left, operator, right }) => {
      if (operator === "??" && left.type === "MemberExpression") check(left.property, right)
    }
  })
  return found
}

/** The simulator and the laws have sizes of their own, which steer no node. */
const isProduct = ({ path }: SourceFile): boolean =>
  /^(src\/(?!testing\/)|schemas\/)/u.test(path) && !limitsFiles.includes(path)

/** No other file sets a limit, an interval or a size. */
export const limitsInOneFile: Rule = (files) =>
  files.filter((file) => isCode(file) && isProduct(file)).flatMap(limitsIn)
