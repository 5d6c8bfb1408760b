import { expect, test } from "bun:test";
import { join } from "node:path";
import { dial } from "../../src/link/dial.ts";
import { listen } from "../../src/link/listen.ts";
import type { SocketLink } from "../../src/link/socket-link.ts";
import { encode } from "../../src/wire/bytes.ts";
import { throwawayStateDirectory } from "../support/throwaway-certificate-authority.ts";
import { turn } from "../support/turn.ts";
import { Recorder } from "./linked.ts";

type Outcome = { link?: SocketLink; code?: string };

function dialled(place: { address: string; port: number }, handler = new Recorder()) {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  dial(
    place,
    { connected: (link) => resolve({ link }), failed: (code) => resolve({ code }) },
    handler,
  );
  return promise;
}

test.each(["127.0.0.1", "::1"])("a link to %s stands and carries bytes", async (address) => {
  const accepted = new Recorder();
  const listening = listen({ address, port: 0 }, (link) => {
    link.handler = accepted;
  });
  const { link } = await dialled({ address, port: listening.port });
  expect(link!.remotePort).toBe(listening.port);
  link!.write(encode("hello"), 0, 5);
  await accepted.until(() => accepted.text === "hello");
  link!.abort();
  listening.stop();
  listening.stop();
});

test("where nobody listens it fails with the system's code", async () => {
  const listening = listen({ address: "127.0.0.1", port: 0 }, () => {});
  listening.stop();
  expect(await dialled({ address: "127.0.0.1", port: listening.port })).toEqual({
    code: "ECONNREFUSED",
  });
});

test("after giving up nothing is told, and nothing is left open", async () => {
  const accepted = new Recorder();
  const listening = listen({ address: "127.0.0.1", port: 0 }, (link) => {
    link.handler = accepted;
  });
  const told: string[] = [];
  const cancel = dial(
    { address: "127.0.0.1", port: listening.port },
    { connected: () => told.push("connected"), failed: () => told.push("failed") },
    new Recorder(),
  );
  cancel();
  cancel();
  await accepted.until(() => accepted.events.length > 0);
  await turn();
  expect(told).toEqual([]);
  listening.stop();
});

test("a port that is taken is an error with its code", () => {
  const listening = listen({ address: "127.0.0.1", port: 0 }, () => {});
  try {
    listen({ address: "127.0.0.1", port: listening.port }, () => {});
    throw new Error("it listened");
  } catch (error) {
    expect((error as { code?: string }).code).toBe("EADDRINUSE");
  } finally {
    listening.stop();
  }
});

test("an address that is a path is a unix socket, whose refusals have the system's codes too", async () => {
  await using folder = await throwawayStateDirectory();
  const path = join(folder.path, "api.sock");
  expect(await dialled({ address: path, port: 0 })).toEqual({ code: "ENOENT" });
  const accepted = new Recorder();
  const listening = listen({ path }, (link) => {
    link.handler = accepted;
  });
  const { link } = await dialled({ address: path, port: 0 });
  link!.write(encode("hello"), 0, 5);
  await accepted.until(() => accepted.text === "hello");
  link!.abort();
  listening.stop();
});
