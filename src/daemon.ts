/** Options into a running daemon: builds every part, joins their callbacks, starts in order, stops in reverse. */
import { hostname, release } from "node:os";
import { version } from "../package.json" with { type: "json" };
import { departedClients } from "./discovery/departed.ts";
import { type Changes, scanner } from "./discovery/scanner.ts";
import { chooseSource, type ScannerKind } from "./discovery/source.ts";
import { startProxy } from "./proxy/listener.ts";
import type { ExtraPort, RefusedPort } from "./proxy/own-ports.ts";
import type { Service } from "./routes/service.ts";
import type { UrlPorts } from "./routes/service-row.ts";
import { routeTable } from "./routes/table.ts";
import { systemClock } from "./system/clock.ts";
import { certificates } from "./tls/certificates.ts";
import { processIdentity } from "./tls/identity.ts";
import { terminator } from "./tls/terminate.ts";

export type DaemonOptions = {
  /** 0 picks one. */
  port: number;
  extraPorts: readonly ExtraPort[];
  /** Page loads that came without TLS are sent to https. */
  httpsRedirect: boolean;
  scanner: ScannerKind;
  /** Root only: everybody's processes. */
  allUsers: boolean;
  /** Where the authority for https is kept. */
  stateDirectory: string;
  /** Domains besides `localhost` that names may end in. */
  tlds: readonly string[];
  /** After every scan; `changes` may be empty. */
  onServices(services: readonly Service[], changes: Changes): void;
  /** A sentence for a person: a failed scan, an address that is not there, a fault of ours. */
  onNote(text: string): void;
  /** A sentence about a process that could not be read: for those who ask. */
  onSkipped(text: string): void;
};

export type Daemon = {
  readonly port: number;
  /** The main port, and the others that were had. */
  readonly ports: readonly number[];
  readonly urlPorts: UrlPorts;
  readonly refusedPorts: readonly RefusedPort[];
  /** What it accepts connections on. */
  readonly addresses: readonly string[];
  /** Lets answers under way end, bounded. Twice is harmless. */
  stop(): Promise<void>;
};

/** Milliseconds that answers under way have when the daemon stops. */
const drainMilliseconds = 10_000;

/** Milliseconds after which what we know of a process has to be looked at again before it is relied on. */
const knownFor = 6_000;

/** @throws an Error with `code` (`EADDRINUSE`) and `port` where the port cannot be had. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const clock = systemClock;
  const { tlds } = options;
  const nothing = routeTable([], { tlds });
  let table = nothing;
  let seen = 0;

  const discovery = scanner({
    source: chooseSource(options.scanner, {
      uid: process.getuid?.() ?? 0,
      allUsers: options.allUsers,
    }),
    clock,
    hostName: hostname(),
    // Microsoft's kernels say so in their release, WSL 1 and 2 alike.
    wsl: /microsoft/i.test(release()),
    ownPid: process.pid,
    // Somebody reads our lines about services that come and go.
    watched: true,
    onServices(services, changes) {
      seen = clock.now();
      const changed =
        changes.appeared.length + changes.changed.length + changes.gone.length > 0 ||
        table === nothing;
      if (changed) table = routeTable(services, { tlds });
      options.onServices(services, changes);
    },
    onSkipped: ({ pid, why }) =>
      options.onSkipped(pid === undefined ? `skipped: ${why}` : `process ${pid} skipped: ${why}`),
    onFailure: (error) => options.onNote(`looking for services failed: ${error.message}`),
  });

  const fault = (reason: unknown): void =>
    options.onNote(`a connection ended by a fault of ours: ${textOf(reason)}`);
  const names = certificates({
    stateDirectory: options.stateDirectory,
    clock,
    identity: processIdentity(),
    tlds,
    isService: (name) => table.find(name) !== undefined,
    note: options.onNote,
  });
  const tls = terminator({ clock, certificateFor: names.certificateFor, fault });

  let proxy: ReturnType<typeof startProxy>;
  try {
    proxy = startProxy({
      clock,
      port: options.port,
      extraPorts: options.extraPorts,
      // There anyone may have these ports, but on the wildcard address only.
      wildcard: (port) =>
        process.platform === "darwin" && process.getuid?.() !== 0 && port > 0 && port < 1024,
      httpsRedirect: options.httpsRedirect,
      version,
      instance: instanceId(),
      routes: () => table,
      refresh: () => discovery.refresh(),
      stillThere: (service) => clock.now() - seen < knownFor || discovery.stillThere(service),
      touch: () => discovery.touch(),
      departed: departedClients("/proc"),
      terminator: tls,
      bareNames: () => names.bareNames,
      fault,
      note: options.onNote,
    });
  } catch (cause) {
    const code = (cause as { code?: string }).code;
    throw Object.assign(
      new Error(`cannot listen on port ${options.port}: ${(cause as Error).message}`, { cause }),
      { code, port: options.port },
    );
  }
  await discovery.start();
  if (tlds.length > 0) void names.compare();

  let stopping: Promise<void> | undefined;
  return {
    port: proxy.port,
    ports: proxy.ports,
    urlPorts: proxy.urlPorts,
    refusedPorts: proxy.refusedPorts,
    addresses: proxy.addresses,
    stop() {
      stopping ??= (async () => {
        discovery.stop();
        await proxy.stop(drainMilliseconds);
      })();
      return stopping;
    },
  };
}

function instanceId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString("hex");
}

function textOf(fault: unknown): string {
  return fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
}
