import { expect, test } from "bun:test";
import { knockPort } from "../../../src/containers/runs/knock-port.ts";
import { systemClock } from "../../../src/system/clock.ts";

type Behaviour = "closes" | "stays" | "speaks";

async function knocked(how: Behaviour): Promise<string> {
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        if (how === "closes") socket.end();
        if (how === "speaks") socket.write("220 ready\r\n");
      },
      data() {},
    },
  });
  const { signal } = new AbortController();
  const { kind } = await knockPort(listener.port, { clock: systemClock, signal });
  listener.stop(true);
  return kind;
}

test("a relay that takes a connection and closes it is no program that answers", async () => {
  expect(await knocked("closes")).toBe("closed");
});

test("a server that speaks first, or waits for its client, answers", async () => {
  expect(await knocked("speaks")).toBe("answers");
  expect(await knocked("stays")).toBe("answers");
});

test("nobody listens, and nobody waits any longer", async () => {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  const { signal } = new AbortController();
  const given = AbortSignal.abort();
  expect((await knockPort(port, { clock: systemClock, signal: given })).kind).toBe("closed");
  listener.stop(true);
  expect((await knockPort(port, { clock: systemClock, signal })).kind).toBe("closed");
});
