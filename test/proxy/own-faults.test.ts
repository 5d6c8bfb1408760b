/** A fault of our own in the middle of a request: its client loses the connection, and all others go on. */
import { expect, test } from "bun:test";
import { Recorder } from "../../src/proxy/request/recorder.ts";
import { systemClock } from "../../src/system/clock.ts";
import { connectRaw } from "../support/raw-end.ts";
import { ok, RawServer } from "../support/raw-server.ts";
import { startTestProxy } from "../support/test-proxy.ts";

/** Throws where the request goes on with the connection that was dialled for it. */
class Faulty extends Recorder {
  left = 2;

  override routed(...its: Parameters<Recorder["routed"]>): void {
    if (--this.left === 0) throw new Error("planted");
    super.routed(...its);
  }
}

test("a step that throws once a connection has been dialled ends the client's connection alone", async () => {
  using server = new RawServer();
  const faults: unknown[] = [];
  await using proxy = await startTestProxy({
    services: { api: { port: server.port } },
    recorder: new Faulty({ clock: systemClock, now: () => performance.now() }),
    fault: (fault) => faults.push(fault),
  });
  const request = "GET / HTTP/1.1\r\nHost: api.localhost\r\n\r\n";
  using client = await connectRaw(proxy.port);
  client.send(request);
  // Dialled for the first client, and closed unused.
  await server.next();
  await client.gone();
  expect(String(faults)).toBe("Error: planted");
  using next = await connectRaw(proxy.port);
  next.send(request);
  const upstream = await server.next();
  upstream.send(ok("after it"));
  await next.until("after it");
  next.close();
});
