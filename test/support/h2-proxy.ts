/** Names and ports into a proxy that speaks HTTP/2 alone, behind TLS with a certificate for one name. */
import { randomBytes } from "node:crypto";
import { listen } from "../../src/link/listen.ts";
import { secure } from "../../src/link/secure.ts";
import type { ConnectionShared } from "../../src/proxy/client/connection.ts";
import { LongerNames } from "../../src/proxy/request/longer-names.ts";
import { marks } from "../../src/proxy/request/marks.ts";
import { Destinations } from "../../src/proxy/request/destination.ts";
import { Dialects } from "../../src/proxy/upstream/dialect.ts";
import { H2Session } from "../../src/proxy/h2/session.ts";
import { HeadWriters } from "../../src/proxy/frames/head-writer.ts";
import { ownPages } from "../../src/proxy/pages/own-pages.ts";
import { type UpstreamPool, upstreamPool } from "../../src/proxy/upstream/pool.ts";
import { routeTable } from "../../src/routes/table.ts";
import { systemClock } from "../../src/system/clock.ts";
import { socketCalls } from "../../src/system/socket-calls.ts";
import { poolWithSessions } from "../../src/proxy/upstream/sessions.ts";
import { type Place, testService } from "./test-proxy.ts";
import { throwawayCertificateAuthority } from "./throwaway-certificate-authority.ts";

export type TestShared = ConnectionShared & {
  pool: UpstreamPool;
  readonly faults: unknown[];
  /** What the clock says. */
  now: number;
  drains: boolean;
};

/** What connections share, without a listener. */
export function testShared(services: Record<string, Place>): TestShared {
  const table = routeTable(
    Object.entries(services).map(([name, place]) => testService(name, place)),
  );
  const faults: unknown[] = [];
  const { peek } = socketCalls(process.platform);
  const pool = poolWithSessions(upstreamPool({ clock: systemClock, peek }), {
    clock: systemClock,
    fault: (fault) => faults.push(fault),
  });
  const shared: TestShared = {
    faults,
    now: 0,
    drains: false,
    pool,
    loginFacts: { clock: systemClock, peek, pool },
    writers: new HeadWriters(),
    draining: () => shared.drains,
    stopping: () => shared.drains,
    fault: (fault) => faults.push(fault),
    routes: () => table,
    refresh: async () => {},
    stillThere: () => true,
    touch() {},
    pages: ownPages({
      routes: () => table,
      version: "0.0.0",
      port: 1,
      urlPorts: { http: 1, https: 1 },
    }),
    instance: "0123abcd",
    seconds: () => shared.now,
    ownPorts: [1],
    urlPorts: { http: 1, https: 1 },
    redirect: undefined,
    destinations: new Destinations(),
    longerNames: new LongerNames(),
    marks: marks(new Uint8Array(32)),
    spare: [],
    terminates: () => false,
    bareNames: () => true,
    dialects: new Dialects(systemClock, () => table),
    supervision: undefined,
    waiting: new Set(),
    secure: () => false,
    openSession() {
      throw new Error("a stream began with the preface of HTTP/2");
    },
    recorder: undefined,
    callers: undefined,
    gone() {},
  };
  return shared;
}

export interface H2Proxy extends AsyncDisposable {
  readonly port: number;
  /** PEM of who signed its certificate. */
  readonly ca: string;
  readonly sessions: ReadonlySet<H2Session>;
  readonly shared: TestShared;
}

/** `name`: the certificate's. @throws the proxy's own faults, at its end. */
export async function startH2Proxy(
  services: Record<string, Place>,
  name = "api.localhost",
): Promise<H2Proxy> {
  await using throwaway = await throwawayCertificateAuthority();
  const leaf = await throwaway.leafFor(name);
  const shared = testShared(services);
  const sessions = new Set<H2Session>();
  const listening = listen({ address: "127.0.0.1", port: 0 }, (link) => {
    secure(
      link,
      { key: leaf.key, cert: leaf.certificate, protocols: ["h2"] },
      {
        secured(secured) {
          sessions.add(
            new H2Session(secured, {
              shared,
              serverName: name,
              secured: true,
              tunnelled: false,
              gone: (session) => sessions.delete(session),
            }),
          );
        },
        failed() {},
      },
    );
  });
  const ticking = setInterval(() => {
    shared.now++;
    shared.pool.tick();
    for (const session of sessions) session.tick();
  }, 1_000);
  return {
    port: listening.port,
    ca: throwaway.ca.pem,
    sessions,
    shared,
    async [Symbol.asyncDispose]() {
      clearInterval(ticking);
      listening.stop();
      for (const session of sessions) session.link.abort();
      shared.pool.stop();
      if (shared.faults.length > 0) {
        throw new AggregateError(shared.faults, `the proxy had a fault: ${shared.faults[0]}`);
      }
    },
  };
}

/** Bytes that no two calls share. */
export function noise(length: number): Buffer {
  return randomBytes(length);
}
