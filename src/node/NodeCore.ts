/**
 * Joins the rooms into one node, on any runtime, transport and storage. The process that serves
 * users and the simulator run this same file.
 */
import * as DateTime from "effect/DateTime"
import type { MemberTag, PeerHandlers } from "../../schemas/PeerMessage.ts"
import { Coordinator } from "../coordinator/Coordinator.ts"
import { heldByRequests } from "../coordinator/HeldDocuments.ts"
import type { RequestObserver } from "../coordinator/RequestObserver.ts"
import { RequestServer } from "../coordinator/RequestServer.ts"
import { AntiEntropy } from "../anti-entropy/AntiEntropy.ts"
import { accepted, type ClusterKeys } from "../core/clock/ClusterKeys.ts"
import { RecurringTexts } from "../core/codec/RecurringTexts.ts"
import type { Completeness } from "../core/model/Completeness.ts"
import * as Incarnation from "../core/model/Incarnation.ts"
import type { NodeLimits } from "../core/model/Limits.ts"
import type { ClusterName, NodeId } from "../core/model/Names.ts"
import type { RowKey } from "../core/model/RowKey.ts"
import type { RingState } from "../core/ring/RingState.ts"
import type { Buckets } from "../core/strategy/Buckets.ts"
import type { Runtime } from "../core/Runtime.ts"
import { WorkQueue } from "../core/WorkQueue.ts"
import { ClusterView } from "../gossip/ClusterView.ts"
import { Formation } from "../gossip/Formation.ts"
import { greetMembers } from "../gossip/Greetings.ts"
import type { MemberWatch } from "../gossip/MemberWatch.ts"
import { OtherKeys } from "../gossip/OtherKeys.ts"
import { type Process, Processes, type ProcessesOptions } from "../gossip/Processes.ts"
import { Replica } from "../replica/Replica.ts"
import { ReplicaServer } from "../replica/ReplicaServer.ts"
import { ToldPositions } from "../gossip/ToldPositions.ts"
import { metadataBatch, readMetadata } from "../storage/Metadata.ts"
import type { StorageFailure, StorageService } from "../storage/Storage.ts"
import { PeerLink } from "../transport/PeerLink.ts"
import { ServiceInfo, type ServiceInfoOptions } from "../transport/ServiceInfo.ts"
import type { TransportService } from "../transport/Transport.ts"
import { deliverHints } from "./DeliverHints.ts"
import { Guard, type OnFailure } from "./Guard.ts"
import { isNamed, rowOfStart, standingNote, standingOf, toldNote } from "./Standing.ts"
import { keyIdOf } from "./ClusterKey.ts"
import { peerQuestionHandlers, questionsOf } from "./Questions.ts"
import { frameSeal } from "./FrameKeys.ts"
import { versionKey } from "./VersionKey.ts"
import { watchMembers } from "./WatchMembers.ts"

export interface NodeOptions {
  readonly runtime: Runtime
  readonly transport: TransportService
  readonly storage: StorageService
  readonly node: NodeId
  readonly cluster: ClusterName
  /** The ring at the start; the view has the present one. */
  readonly ring: RingState
  readonly buckets: Buckets
  /** The same on every node, but while one is rotated. */
  readonly keys: ClusterKeys
  readonly limits: NodeLimits
  /** An operator's word: the cluster forms without the members that do not answer. */
  readonly isForced?: boolean
  /** Another one: what no owner of a document has any more is lost. */
  readonly isLossAccepted?: boolean
  /** Of the program, for people; 0.0.0 where it is not known. */
  readonly version?: string
  /**
   * Told of each exception that one message, timer or commit ended with. Unless given, it is
   * thrown: a test must not pass over it.
   */
  readonly onFailure?: OnFailure
  /** Whether the cluster's certificate names a store; undefined where that is not known. */
  readonly namesStore?: (storeId: string) => boolean | undefined
  /** Told of each dot of a document that had another content at another replica. */
  readonly onConflict?: (key: RowKey) => void
  /** Follows the requests that are taken; left out where nobody looks. */
  readonly observer?: RequestObserver | undefined
  /** Told once that another process goes on under this id, and that this node has stopped. */
  readonly onSuperseded?: (other: Process) => void
}

/** What is needed to look for other processes under this id. */
export const processOptions = (options: NodeOptions, startedAs: string): ProcessesOptions => {
  const { keys, namesStore, node, ring, storage, storage: { storeId } } = options
  return {
    ...options,
    partitionCount: ring.ring.partitionCount,
    seal: frameSeal(keys),
    own: () => ({ startedAs, storeId, isNamed: namesStore?.(storeId) ?? isNamed(storage, node) })
  }
}

const rethrow = (failure: unknown): never => {
  throw failure
}

/**
 * Draws the incarnation of this start and has it on disk before anyone hears of it.
 *
 * `done` gets the incarnation, or why it could not be stored: then the node must not start.
 */
export const beginIncarnation = (
  options: Pick<NodeOptions, "storage" | "runtime">,
  done: (begun: Incarnation.Incarnation | StorageFailure) => void
): void => {
  const { storage, runtime } = options
  const stored = readMetadata(storage, "incarnation")
  const previous = stored !== undefined && Incarnation.isIncarnation(stored) ? stored : undefined
  const fresh = { now: runtime.now(), id: runtime.id() }
  const incarnation = Incarnation.next({ ...fresh, previous })
  if (incarnation !== Incarnation.next({ ...fresh, previous: undefined })) {
    runtime.mark("node: an incarnation begins ahead of the clock")
  }
  const batch = metadataBatch("incarnation", incarnation)
  const rows = [...batch.rows, rowOfStart(storage)]
  storage.write({ ...batch, rows }, (failure) => done(failure ?? incarnation))
}

/** A node that serves. */
export class NodeCore {
  readonly options: NodeOptions
  /** Keeps exceptions from the event loop, and counts them. */
  readonly guard: Guard
  /** In which clients' requests and listings take their turns. */
  readonly work: WorkQueue
  readonly view: ClusterView
  readonly replica: Replica
  readonly formation: Formation
  readonly told: ToldPositions
  readonly memberWatch: MemberWatch
  readonly coordinator: Coordinator
  readonly handoff: ReturnType<typeof deliverHints>
  readonly link: PeerLink
  /** Of the messages of other nodes. */
  readonly #recurring = new RecurringTexts()
  readonly requests: RequestServer
  /** Read its parts when something is asked. */
  readonly questions = questionsOf(this)
  /** Compares this node's documents with those of the others. */
  readonly antiEntropy: AntiEntropy
  /** The members that have another cluster key. */
  readonly otherKeys: OtherKeys
  /** The other processes under this id. */
  readonly processes: Processes
  readonly #service: ServiceInfo
  readonly #endGreetings: () => void
  #isDraining = false

  constructor(unguarded: NodeOptions, incarnation: Incarnation.Incarnation) {
    this.guard = new Guard(unguarded.onFailure ?? rethrow)
    const options = { ...unguarded, ...this.guard.around(unguarded) }
    this.options = options
    const { buckets, limits, node, ring, storage, runtime, transport } = options
    this.work = new WorkQueue({ runtime, limits })
    this.view = new ClusterView({ runtime, self: node, ring, limits })
    this.otherKeys = new OtherKeys((id) => this.view.isMember(id))
    const watched = processOptions(options, incarnation)
    const stampMillis = () => this.view.agreedNow()
    this.replica = new Replica({ ...options, incarnation, stampMillis })
    this.told = new ToldPositions({ runtime, limits, note: toldNote(storage) })
    this.formation = this.#formation()
    this.view.formation = () => this.formation.status()
    this.memberWatch = watchMembers(this, () => this.#isDraining)
    const replicaServer = new ReplicaServer({
      ...options,
      replica: this.replica,
      partitionCount: ring.ring.partitionCount,
      nowMillis: stampMillis,
      completenessOf: (key) => this.completenessOf(key),
      completeness: () => this.formation.completeness(),
      held: (key) => heldByRequests(this.coordinator.context, key),
      work: this.work,
      recurring: this.#recurring
    })
    this.coordinator = new Coordinator({
      runtime,
      node,
      view: this.view,
      replica: this.replica,
      send: (to, message) => this.link.send(to, message),
      flush: (done) => transport.flush(done),
      incarnationOf: (node) => this.link.incarnationOf(node),
      completenessOf: (key) => this.completenessOf(key),
      completeness: () => this.formation.completeness(),
      tellPosition: () => this.formation.tell(),
      failed: (failure, where) => this.guard.failed(failure, where, "request"),
      observer: options.observer,
      work: this.work,
      seal: { cluster: options.cluster, keys: accepted(options.keys) },
      limits,
      validation: { buckets, partitionCount: ring.ring.partitionCount }
    })
    this.antiEntropy = this.#antiEntropy(replicaServer)
    this.handoff = deliverHints(this)
    this.link = this.#makeLink({ ...replicaServer.handlers, ...this.coordinator.handlers }, watched)
    this.view.onRingChange(() => this.link.retainMembers())
    this.requests = new RequestServer({
      ...options,
      view: this.view,
      work: this.work,
      failed: (failure, where) => this.guard.failed(failure, where, "request"),
      coordinator: this.coordinator,
      questions: this.questions
    })
    this.#service = new ServiceInfo(this.#identity(incarnation))
    this.#endGreetings = this.#greet()
    this.processes = new Processes({
      ...watched,
      onOtherKey: () => this.otherKeys.refused(node),
      onSuperseded: (other) => this.#standDown(other)
    })
    this.formation.start()
    this.antiEntropy.start(versionKey(options.keys.current))
    this.memberWatch.start()
  }

  #makeLink(
    handlers: Omit<PeerHandlers, "AntiEntropy" | "HandedOff" | "Question" | MemberTag>,
    { seal }: Pick<ProcessesOptions, "seal">
  ): PeerLink {
    const { cluster, limits, node, ring, runtime, transport } = this.options
    return new PeerLink({
      runtime,
      transport,
      cluster,
      node,
      limits,
      partitionCount: ring.ring.partitionCount,
      incarnation: () => this.replica.incarnation(),
      ringDigest: () => this.view.ring.digest,
      handlers: {
        ...handlers,
        ...this.formation.handlers,
        ...this.memberWatch.handlers,
        ...this.handoff.handlers,
        ...peerQuestionHandlers(this),
        AntiEntropy: (message, from) => this.antiEntropy.take(message, from)
      },
      recurring: this.#recurring,
      seal,
      isMember: (id) => this.view.isMember(id),
      isFormer: (...frame) => this.memberWatch.isFormer(...frame),
      position: (peer) => this.formation.position(peer),
      onOtherKey: (from) => this.otherKeys.refused(from),
      onHeard: (from, leastMillis, told) => {
        this.otherKeys.heard(from)
        this.view.heard(from, leastMillis, told)
        this.told.heard(from, told.position)
        this.memberWatch.heard(from)
      },
      onHandlerFailure: (failure, tag) =>
        this.guard.failed(failure, `a ${tag} message of another node`, "peer_message")
    })
  }

  #antiEntropy(replicaServer: ReplicaServer): AntiEntropy {
    return new AntiEntropy({
      ...this.options,
      view: this.view,
      replica: this.replica,
      store: (message, reply) => replicaServer.store(message, reply),
      send: (to, message) => this.link.send(to, message),
      work: this.work,
      background: this.coordinator.admission().background,
      standing: this.formation,
      hashKeyId: keyIdOf(this.options.keys.current)
    })
  }

  #greet(): () => void {
    const { limits, node: self, runtime } = this.options
    return greetMembers({
      runtime,
      limits,
      self,
      members: () => this.view.members(),
      // Also one that is believed down: of two that suspect each other, neither learns otherwise
      // that the outage is over, until a request asks.
      greet: (to) => this.link.greet(to)
    })
  }

  #formation(): Formation {
    const { isForced = false, limits, node: self, runtime, storage } = this.options
    return new Formation({
      runtime,
      self,
      members: this.view.members().map(({ id }) => id),
      storeId: storage.storeId,
      committedChanges: () => storage.committedChanges(),
      standing: standingOf(storage),
      keep: standingNote(storage),
      isForced,
      send: (to, message) => this.link.send(to, message),
      greet: (to) => this.link.tellPosition(to),
      told: (node, storeId) => this.told.of(node, storeId),
      limits
    })
  }

  /** Whether the replica here has all that it ever acknowledged of a document. */
  completenessOf(key: RowKey): Completeness {
    return this.replica.mended.has(key) ? "incomplete" : this.formation.completeness()
  }

  /** Takes no more requests; those under way go on. */
  drain(): void {
    this.#isDraining = true
    this.#service.close()
    this.requests.drain()
    this.coordinator.drain()
  }

  /** Ends everything. Storage and transport belong to the caller. */
  close(): void {
    this.#service.close()
    this.requests.close()
    this.work.close()
    this.coordinator.close()
    this.antiEntropy.close()
    this.handoff.close()
    this.formation.close()
    this.memberWatch.close()
    this.#endGreetings()
    this.processes.close()
    this.link.close()
    this.told.close()
  }

  /** Another process goes on under this id: this one neither asks, answers nor takes anything. */
  #standDown(other: Process): void {
    this.close()
    this.options.onSuperseded?.(other)
  }

  /** The description of this node that the tools of NATS show. */
  #identity(incarnation: Incarnation.Incarnation): ServiceInfoOptions {
    const { cluster, node, transport, version = "0.0.0", runtime } = this.options
    return {
      transport,
      id: `${node}-${incarnation}`,
      version,
      started: DateTime.formatIso(DateTime.makeUnsafe(runtime.now())),
      metadata: () => {
        const { digest, members } = this.view.ring
        const zone = members.find(({ id }) => id === node)?.zone
        return { node, cluster, ring: digest, ...(zone === undefined ? {} : { zone }) }
      },
      endpoints: this.requests.endpoints()
    }
  }
}
