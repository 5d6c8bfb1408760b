/** `server restart` under load: whatever a client does, it is answered, and no service notices. */
import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { testServer } from "../cli/server-process.ts";
import { daemonPlace } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { failures, kinds, load } from "../support/restart-load.ts";

const rounds = 3;
/** Requests of each kind, after a restart, before the next one. */
const between = 3;

test.skipIf(process.platform !== "linux")(
  "new and kept connections, TLS, HTTP/2, the API and the socket: nothing is refused or broken",
  async () => {
    await using place = await daemonPlace();
    await using server = await testServer();
    const { port, url, socket } = await place.start();
    const look = await place.run("ls", "--json");
    expect(look.out).toContain(server.name);
    // The first handshake makes the authority.
    await fetch(`https://localhost:${port}/`, { tls: { rejectUnauthorized: false } });
    const ca = await readFile(join(place.directory, "authority/certificate.pem"), "utf8");
    const credential = (await readFile(join(place.directory, "credential"), "utf8")).trim();
    const its = load({ port, ca, name: server.name, api: url, socket, credential });
    const answered = () => kinds.map((kind) => its.counts[kind].answered);
    const more = async () => {
      const before = answered();
      await eventually("all kinds are answered", () =>
        answered().every((count, index) => count >= before[index]! + between),
      );
    };
    await more();
    for (let round = 0; round < rounds; round++) {
      const restarted = await place.run("server", "restart");
      expect(restarted.code).toBe(0);
      expect(restarted.out).toContain(`http://localhost:${port}`);
      await more();
    }
    await its.stop();
    expect(failures(its)).toEqual({});
    const found = await place.find();
    expect(found).toMatchObject({ kind: "healthy", registration: { port, url, socket } });
    await eventually("the daemons before have ended", () => place.pids().length === 1);
  },
  120_000,
);
