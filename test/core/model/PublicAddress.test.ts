// Checks that no address is shown with its password, however it is written.
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { hideAddresses, publicAddress } from "../../../src/core/model/PublicAddress.ts"
import { oddAddress } from "./oddAddresses.ts"

describe("an address for people", () => {
  it.each([
    ["nats://127.0.0.1:4222", "nats://127.0.0.1:4222"],
    ["embedded", "embedded"],
    ["nats://svc:s3cret@a:4222,tls://t0ken@b,[::1]:4222", "nats://a:4222,tls://b,[::1]:4222"],
    ["http://svc:s3cret@h/api?token=s3cret", "http://h/..."],
    ["nats://svc:s3cret,x@h", "nats://***@h"],
    ["nats://svc:1234,x@h", "nats://***@h"],
    ["nats://svc:1/x@h:4222", "nats://***@h:4222"],
    ["nat://svc:s3@cret@h", "nat://***@h"],
    ["nats:/svc:s3cret@h", "***@h"],
    ["svc:s3cret@h,g", "h,g"],
    ["nats://svc:s3cret", "nats://***"],
    ["nats://a,svc:s3cret", "nats://***"],
    ["nats://svc:s3cret@", "nats://***"]
  ])("shows %s as %s", (address, shown) => {
    expect(publicAddress(address)).toBe(shown)
  })

  it("has no drawn password", () => {
    fc.assert(
      fc.property(oddAddress, ({ address, secret }) => {
        expect(publicAddress(address)).not.toContain(secret)
        const text = `"${address}" is wrong: see ${address}, please`
        expect(hideAddresses(text, [address])).not.toContain(secret)
      }),
      { numRuns: 2_000 }
    )
  })
})
