/** A port into connections: accepted on both loopback addresses, counted, watched once a second. */
import type { Link } from "../link/link.ts";
import { type Listening, listen } from "../link/listen.ts";
import type { Service } from "../routes/service.ts";
import type { RouteTable } from "../routes/table.ts";
import type { Cancel, Clock } from "../system/clock.ts";
import { socketPeek } from "../system/socket-peek.ts";
import { RequestFraming } from "../wire/framing.ts";
import { Connection, type ConnectionShared } from "./connection.ts";
import { Destinations } from "./destination.ts";
import { errorPage } from "./error-page.ts";
import { HeadWriter } from "./head-writer.ts";
import { ownPages } from "./own-pages.ts";
import { encodeReply } from "./reply.ts";
import { upstreamPool } from "./upstream.ts";

/** Far above what browsers open, below what a process may hold open where limits are raised as usual. */
export const connectionLimit = 10_000;

/** An address of a TCP connection's two ends, seen from the client. */
export type Ends = { address: string; port: number; ownPort: number };

export type ProxyOptions = {
  clock: Clock;
  /** 0 picks one. */
  port: number;
  version: string;
  /** 8 hexadecimal digits that no other proxy has. */
  instance: string;
  routes(): RouteTable;
  refresh(): Promise<unknown>;
  stillThere(service: Service): boolean;
  touch(): void;
  /** Which of these clients, who sent FIN and wait for an answer, no longer exist. Undefined: this system cannot tell. */
  departed: ((clients: readonly Ends[]) => readonly boolean[]) | undefined;
  fault(fault: unknown): void;
  /** A sentence for a person. */
  note(text: string): void;
};

export interface Proxy {
  readonly port: number;
  /** The addresses it accepts on. */
  readonly addresses: readonly string[];
  readonly connections: number;
  /** Takes no new connection, lets answers under way end for at most `milliseconds`, then breaks off. */
  stop(milliseconds: number): Promise<void>;
}

const loopbacks = ["127.0.0.1", "::1"] as const;

/** Starts to accept. @throws the system's error where the port is taken or not allowed. */
export function startProxy(options: ProxyOptions): Proxy {
  const { clock } = options;
  const connections = new Set<Connection>();
  const pool = upstreamPool({ clock, peek: socketPeek() });
  let seconds = 0;
  let draining = false;
  let emptied: (() => void) | undefined;

  const { port, listening } = listenOnLoopback(options, accept);

  const shared: ConnectionShared = {
    pool,
    scratch: new HeadWriter(65_536),
    draining: () => draining,
    fault: options.fault,
    routes: options.routes,
    refresh: options.refresh,
    stillThere: options.stillThere,
    touch: options.touch,
    pages: ownPages({ routes: options.routes, version: options.version, port: () => port }),
    instance: options.instance,
    seconds: () => seconds,
    port: () => port,
    destinations: new Destinations(),
    spare: [],
    framing: new RequestFraming(),
    gone(connection) {
      connections.delete(connection);
      if (connections.size === 0) emptied?.();
    },
  };

  function accept(link: Link): void {
    if (connections.size >= connectionLimit) {
      const why = `there are ${connectionLimit} connections already`;
      const bytes = encodeReply(errorPage({ status: 503, why }, "text"), {
        head: false,
        close: true,
      });
      link.write(bytes, 0, bytes.length);
      link.close();
      return;
    }
    connections.add(new Connection(link, shared));
  }

  const cancelTicks = clock.every(1_000, () => {
    seconds++;
    pool.tick();
    const waiting: Connection[] = [];
    for (const connection of connections) {
      connection.tick();
      if (connection.mayBeGone) waiting.push(connection);
    }
    if (waiting.length > 0 && options.departed !== undefined) {
      dismissDeparted(waiting, { departed: options.departed, ownPort: port });
    }
  });

  let stopping: Promise<void> | undefined;
  return {
    port,
    addresses: listening.map(({ address }) => address),
    get connections() {
      return connections.size;
    },
    stop(milliseconds) {
      stopping ??= (async () => {
        draining = true;
        for (const { listener } of listening) listener.stop();
        for (const connection of connections) connection.drain();
        let cancelDeadline: Cancel = () => {};
        await new Promise<void>((resolve) => {
          emptied = resolve;
          if (connections.size === 0) resolve();
          cancelDeadline = clock.after(milliseconds, resolve);
        });
        cancelDeadline();
        cancelTicks();
        for (const connection of connections) connection.link.abort();
        pool.stop();
      })();
      return stopping;
    },
  };
}

type Bound = { address: string; listener: Listening };

/** Both families on one port; where 0 asks for any, until one is free in both. */
function listenOnLoopback(
  { port, note }: { port: number; note: (text: string) => void },
  accept: (link: Link) => void,
): { port: number; listening: Bound[] } {
  for (let attempt = 1; ; attempt++) {
    const first = listen({ address: loopbacks[0], port }, accept);
    try {
      const second = listen({ address: loopbacks[1], port: first.port }, accept);
      return {
        port: first.port,
        listening: [
          { address: loopbacks[0], listener: first },
          { address: loopbacks[1], listener: second },
        ],
      };
    } catch (error) {
      if ((error as { code?: unknown }).code === "EADDRINUSE") {
        first.stop();
        if (port !== 0 || attempt === 10) throw error;
        continue;
      }
      // A machine or container without IPv6: nobody can come by ::1 there.
      note(`not listening on [::1]: ${(error as Error).message}`);
      return { port: first.port, listening: [{ address: loopbacks[0], listener: first }] };
    }
  }
}

/** A client that closed looks like one that only stopped sending; on the same machine the kernel can tell them apart. */
function dismissDeparted(
  waiting: readonly Connection[],
  {
    departed,
    ownPort,
  }: { departed: (clients: readonly Ends[]) => readonly boolean[]; ownPort: number },
): void {
  const gone = departed(
    waiting.map(({ link }) => ({
      address: link.remoteAddress,
      port: link.remotePort,
      ownPort,
    })),
  );
  waiting.forEach((connection, index) => {
    if (gone[index]) connection.link.abort();
  });
}
