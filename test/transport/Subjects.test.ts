// Checks that every subject is parsed into its fields, and that any other text is refused.
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BucketName, ClusterName, NodeId } from "../../src/core/model/Names.ts"
import { kindOf, SubjectTree } from "../../src/transport/SubjectTree.ts"
import { type ParsedSubject, Subjects } from "../../src/transport/Subjects.ts"

const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,63}$/u)
const cluster = name.map((text) => Schema.decodeSync(ClusterName)(text))
const node = name.map((text) => Schema.decodeSync(NodeId)(text))
const bucket = name.map((text) => Schema.decodeSync(BucketName)(text))
const operation = fc.array(fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/u), {
  minLength: 1,
  maxLength: 4
}).map((tokens) => tokens.join("."))
const access = fc.constantFrom("read" as const, "write" as const)
const request = fc.record({ access, bucket, operation })

/** Each kind of subject with its parts, and the pattern that it is received by. */
const made = fc.record({
  cluster,
  node,
  other: node,
  request,
  verb: fc.constantFrom("join", "plan")
})
  .map(({ cluster, node, other, request, verb }) => {
    const subjects = new Subjects(cluster)
    const cases: ReadonlyArray<readonly [string, string, ParsedSubject]> = [
      [
        subjects.peer({ to: node, from: other }),
        subjects.peersTo(node),
        { _tag: "Peer", to: node, from: other }
      ],
      [subjects.gossip(node), subjects.gossips(), { _tag: "Gossip", from: node }],
      [
        subjects.request(request),
        subjects.requests(request.access),
        { _tag: "Request", node: undefined, request }
      ],
      [
        subjects.nodeRequest(node, request),
        subjects.nodeRequests(node),
        { _tag: "Request", node, request }
      ],
      [subjects.cluster(verb), subjects.clusters(), { _tag: "Cluster", verb }]
    ]
    return { subjects, cluster, cases }
  })

describe("the subjects of a cluster", () => {
  it("read back as the parts that they were made of", () => {
    fc.assert(fc.property(made, ({ cases, subjects }) => {
      for (const [subject, , parts] of cases) expect(subjects.parse(subject)).toEqual(parts)
    }))
  })

  it("are subjects of NATS, and each is received by its own pattern alone", () => {
    fc.assert(fc.property(made, ({ cases }) => {
      const tree = new SubjectTree<string>()
      for (const [, pattern] of cases) tree.add(pattern, pattern)
      for (const [subject, pattern] of cases) {
        expect(kindOf(subject)).toBe("subject")
        expect(tree.match(subject)).toEqual([pattern])
      }
    }))
  })

  it("say nothing to another cluster", () => {
    fc.assert(fc.property(made, cluster, ({ cases, cluster: own }, other) => {
      fc.pre(other !== own)
      for (const [subject] of cases) expect(new Subjects(other).parse(subject)).toBeUndefined()
    }))
  })

  it("keep to the shapes that permissions are written for", () => {
    const [n1, n2] = [NodeId.make("n1"), NodeId.make("n2")]
    const subjects = new Subjects(ClusterName.make("prod"))
    const add = {
      access: "write",
      bucket: BucketName.make("carts"),
      operation: "lines.add"
    } as const
    expect(subjects.peer({ to: n2, from: n1 })).toBe("everwrite.prod.v1.peer.n2.from.n1")
    expect(subjects.peersTo(n2)).toBe("everwrite.prod.v1.peer.n2.from.*")
    expect(subjects.gossip(n1)).toBe("everwrite.prod.v1.gossip.from.n1")
    expect(subjects.request(add)).toBe("everwrite.prod.v1.write.carts.lines.add")
    expect(subjects.nodeRequest(n1, add)).toBe("everwrite.prod.v1.node.n1.write.carts.lines.add")
    expect(subjects.cluster("join")).toBe("everwrite.prod.v1.cluster.join")
  })
})

describe("a received subject", () => {
  const subjects = new Subjects(ClusterName.make("c"))

  it.each([
    "",
    "everwrite.c.v1",
    "everwrite.c.v1.",
    "everwrite.c.v2.gossip.from.n1",
    "everwrite.d.v1.gossip.from.n1",
    "everwrite.c.v1.peer.n1.from",
    "everwrite.c.v1.peer.n1.from.N2",
    "everwrite.c.v1.peer.n1.from.n2.n3",
    "everwrite.c.v1.peer.n1.to.n2",
    "everwrite.c.v1.peer..from.n2",
    "everwrite.c.v1.gossip.n1",
    "everwrite.c.v1.gossip.from.n1.x",
    "everwrite.c.v1.read.carts",
    "everwrite.c.v1.read.Carts.get",
    "everwrite.c.v1.read.carts.get..x",
    "everwrite.c.v1.read.carts.a.b.c.d.e.f.g.h.i",
    "everwrite.c.v1.delete.carts.get",
    "everwrite.c.v1.node.n1",
    "everwrite.c.v1.node.n1.peer.n2.from.n3",
    "everwrite.c.v1.node.N1.read.carts.get",
    "everwrite.c.v1.cluster",
    "everwrite.c.v1.cluster.Join",
    "everwrite.c.v1.cluster.join.now",
    `everwrite.c.v1.gossip.from.${"n".repeat(65)}`
  ])("%s does not fit", (subject) => {
    expect(subjects.parse(subject)).toBeUndefined()
  })

  it("of any kind is refused or makes sense, and nothing throws", () => {
    const token = fc.constantFrom(
      "peer",
      "from",
      "node",
      "read",
      "cluster",
      "n1",
      "*",
      "",
      "Ä",
      "x y"
    )
    fc.assert(fc.property(fc.array(token), (tokens) => {
      const subject = `everwrite.c.v1.${tokens.join(".")}`
      const parsed = subjects.parse(subject)
      if (parsed !== undefined) expect(kindOf(subject)).toBe("subject")
    }))
  })

  it("is not made from the name of an operation or verb that does not fit", () => {
    const bucket = BucketName.make("b")
    for (const operation of ["", "a..b", "a b", "*", "a.>"]) {
      expect(() => subjects.request({ access: "read", bucket, operation })).toThrow("operation")
    }
    expect(() => subjects.cluster("a.b")).toThrow("verb")
  })
})
