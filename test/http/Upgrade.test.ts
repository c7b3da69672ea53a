// Checks that a request that asks for another protocol is answered, and that the client learns that
// its connection ends there: Node reads nothing behind such a request.
import { expect, it } from "vitest"
import { until } from "../tooling/until.ts"
import { useServedCluster } from "./servedCluster.ts"
import { openWire, statusesIn } from "./wire.ts"

const server = useServedCluster()

const edit = "POST /v1/buckets/shelves/docs/ops/label.set?key=k HTTP/1.1\r\nhost: localhost\r\n"
  + "content-type: application/json\r\nconnection: upgrade, keep-alive\r\nupgrade: h2c\r\n"
const livez = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"

it.each([
  [
    "without a body",
    "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n"
    + "upgrade: websocket\r\n\r\n",
    200
  ],
  ["with a body by length", `${edit}content-length: 5\r\n\r\n["x"]`, 200],
  [
    "with a body in chunks",
    `${edit}transfer-encoding: chunked\r\n\r\n5\r\n["x"]\r\n0\r\n\r\n`,
    400
  ],
  ["with a malformed chunk", `${edit}transfer-encoding: chunked\r\n\r\n["x"]`, 400]
])("a request to upgrade %s is answered, and is the last of its connection", async (
  _,
  request,
  status
) => {
  const client = openWire(server)
  client.socket.write(request + livez)
  await until("the connection ends", () => client.closed())
  expect(statusesIn(client.received())).toEqual([status])
  expect(client.received()).toMatch(/^connection: close\r$/imu)
})
