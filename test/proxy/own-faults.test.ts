/** A fault of our own in the middle of a request: its client loses the connection, and all others go on. */
import { expect, test } from "bun:test";
import { Recorder } from "../../src/proxy/request/recorder.ts";
import { systemClock } from "../../src/system/clock.ts";
import { connectRaw } from "../support/raw-end.ts";
import { eventually } from "../support/eventually.ts";
import { H2Frames } from "../support/h2-frames.ts";
import { echo, ok, RawServer } from "../support/raw-server.ts";
import { scene } from "../support/scene.ts";
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

test("a tick that throws ends the client's connection alone", async () => {
  class Ends extends Recorder {
    override end(): void {
      throw new Error("planted");
    }
  }
  const faults: unknown[] = [];
  await using its = await scene({
    recorder: new Ends({ clock: systemClock, now: () => performance.now() }),
    fault: (fault) => faults.push(fault),
  });
  const { client, clock } = its;
  client.send("POST / HTTP/1.1\r\nHost: api.localhost\r\nContent-Length: 10\r\n\r\n(=)");
  const upstream = await its.api.next();
  await upstream.until("(=)");
  // Its body stands still for too long: it is refused, and that is recorded.
  for (let half = 0; half < 124; half++) clock.advance(500);
  await client.gone();
  expect(String(faults[0])).toBe("Error: planted");
});

test("the end of a turn that throws ends its session of HTTP/2 alone", async () => {
  using echoing = new RawServer({ answer: echo });
  const client = new H2Frames({ api: echoing }).greet();
  client.request(1, { path: "/" });
  // The answer is written once the upstream's turn is over.
  client.write = () => {
    throw new Error("planted");
  };
  await eventually("the end of the session", () => client.over);
  expect(client.shared.faults.map(String)).toEqual(["Error: planted"]);
});
