/** Options into a running daemon: builds every part, joins their callbacks, starts in order, stops in reverse. */
import { hostname, release } from "node:os";
import { version } from "../../package.json" with { type: "json" };
import {
  type Backend,
  CommandError,
  report,
  type TrustWanted,
} from "../control/commands/commands.ts";
import { dashboard, linkPath } from "../dashboard/dashboard.ts";
import { keepPort, keptPort } from "../dashboard/page-port.ts";
import { pageScript, removeKeptScripts } from "../dashboard/page-script.ts";
import { sessions } from "../dashboard/session.ts";
import { clientUsers, isOwn } from "../discovery/client-user.ts";
import { claimPort, type Vacancy } from "../control/found/claim-port.ts";
import { findDaemon } from "../control/found/connect.ts";
import { converge } from "../control/found/converge.ts";
import { ensureCredential } from "../control/found/credential.ts";
import { feed } from "../control/commands/events.ts";
import { type HttpDoor, startHttp } from "../control/http/http.ts";
import { type IpcDoor, ipcDoor, socketPath } from "../control/ipc/ipc.ts";
import { trafficNews } from "../control/commands/traffic-news.ts";
import { type Facts, protocol, type Registration } from "../control/found/protocol.ts";
import {
  ownerOfRecord,
  removeRegistration,
  writeRegistration,
} from "../control/found/registration.ts";
import { callerFinder } from "../discovery/callers.ts";
import { departedClients } from "../discovery/departed-clients.ts";
import { type Changes, scanner } from "../discovery/scanner.ts";
import { chooseSource, type ScannerKind } from "../discovery/source.ts";
import { startProxy } from "../proxy/listener/listener.ts";
import { Recorder } from "../proxy/request/recorder.ts";
import type { ExtraPort, RefusedPort } from "../proxy/listener/own-ports.ts";
import type { Service } from "../routes/service.ts";
import { originOf, type UrlPorts } from "../routes/service-row.ts";
import { type BareNames, type RouteTable, routeTable } from "../routes/table.ts";
import { idleWatch } from "../supervisor/project/idle.ts";
import { plainLines } from "../supervisor/logs/plain-text.ts";
import { supervision } from "../supervisor/supervision.ts";
import { type Cancel, type Clock, systemClock } from "../system/clock.ts";
import { type HostsFile, hostsFile } from "../system/hosts-file.ts";
import { belongsTo, listenersOn } from "../system/listeners.ts";
import { peerCredentials } from "../system/peer-credentials.ts";
import { type Ends, peerSockets } from "../system/peer-sockets.ts";
import { certificates } from "../tls/certificates.ts";
import { processIdentity } from "../tls/identity.ts";
import { terminator } from "../tls/terminate.ts";

export type DaemonOptions = {
  /** 0 picks one. */
  port: number;
  extraPorts: readonly ExtraPort[];
  /** Page loads that came without TLS are sent to https. */
  httpsRedirect: boolean;
  scanner: ScannerKind;
  /** Root only: everybody's processes. */
  allUsers: boolean;
  /** Other people of this machine may use the proxy. */
  otherUsers: boolean;
  /** Where it is found, and where the authority for https is kept. It has to be ours, and may be unusable. */
  stateDirectory: string;
  /** The path of the socket for IPC. */
  socket: string;
  /** Where its notes go; undefined where that is a terminal. */
  log: string | undefined;
  /** Pages of these origins may use the HTTP API, with the credential. */
  allowedOrigins: readonly string[];
  /** What it is asked to do about trust stores. */
  trust(wanted: TrustWanted): Promise<readonly unknown[]>;
  /** Not at all where one runs already. */
  unlessRunning: boolean;
  /** Domains besides `localhost` that names may end in. */
  tlds: readonly string[];
  /** Names without a dot that are answered to who asks for them without the PAC file; true: all of them. */
  bareNames: readonly string[] | boolean;
  /** Where there are more of these names. */
  hosts?: HostsFile;
  /** Its own environment: of services that were up before it. */
  env: Readonly<Record<string, string | undefined>>;
  /** `config.toml`, the lowest layer of every project. */
  configFile: string | undefined;
  /** Variables by which services trust our https. */
  serviceTrust(): Promise<Readonly<Record<string, string>>>;
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
  /** The daemon in whose place it is. */
  readonly predecessor: Pick<Registration, "pid"> | undefined;
  /** Resolves, with the reason, when somebody else than the caller wants it to stop. */
  readonly dismissed: Promise<string>;
  /** Lets answers under way end, bounded. Twice is harmless. */
  stop(): Promise<void>;
};

/** Milliseconds that answers under way have when the daemon stops. */
const drainMilliseconds = 10_000;

/** Milliseconds between attempts to have the port that open pages know. */
const doorInterval = 250;

/** Milliseconds after which what we know of a process has to be looked at again before it is relied on. */
const knownFor = 6_000;

/**
 * Undefined where another daemon runs and is to go on: with `unlessRunning`, and where one was started after this.
 *
 * @throws an Error with `code` (`EADDRINUSE`) and `port` where the port cannot be had.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon | undefined> {
  const clock = systemClock;
  const { stateDirectory, tlds, hosts = hostsFile() } = options;
  const dismissed = Promise.withResolvers<string>();
  let hostsNames = hosts.names();
  const answersBare = (): BareNames =>
    options.bareNames === true
      ? "all"
      : hostsNames.union(new Set(options.bareNames === false ? [] : options.bareNames));
  const nothing = routeTable([], { tlds, answersBare: answersBare() });
  let table = nothing;
  let services: readonly Service[] = [];
  const retable = (): void => {
    table = routeTable(services, {
      tlds,
      answersBare: answersBare(),
      supervised: projects.snapshots(),
    });
  };
  let seen = 0;
  const now = () => performance.now();
  // Microsoft's kernels say so in their release, WSL 1 and 2 alike.
  const wsl = /microsoft/i.test(release());
  const peers = peerSockets(process.platform);
  const recorder = new Recorder({ clock, now });
  const id = crypto.randomUUID();
  const events = feed({ clock, launch: id, counts: (service) => recorder.counts(service) });
  const note = (text: string): void => {
    events.log(text, "stderr");
    options.onNote(text);
  };

  const discovery = scanner({
    source: chooseSource(options.scanner, {
      uid: process.getuid?.() ?? 0,
      allUsers: options.allUsers,
    }),
    clock,
    hostName: hostname(),
    wsl,
    ownPid: process.pid,
    uid: process.getuid?.() ?? 0,
    // Somebody reads our lines about services that come and go.
    watched: true,
    onServices(found, changes) {
      seen = clock.now();
      services = found;
      const before = hostsNames;
      hostsNames = hosts.names();
      const changed =
        before !== hostsNames ||
        changes.appeared.length + changes.changed.length + changes.gone.length > 0 ||
        table === nothing;
      if (changed) retable();
      const judged = judgedBy(table, changes);
      tellChanges(judged, backend);
      options.onServices(table.services, judged);
    },
    onSkipped: ({ pid, why }) =>
      options.onSkipped(pid === undefined ? `skipped: ${why}` : `process ${pid} skipped: ${why}`),
    onFailure: (error) => note(`looking for services failed: ${error.message}`),
  });

  const fault = (reason: unknown): void =>
    note(`a connection ended by a fault of ours: ${textOf(reason)}`);
  const names = certificates({
    stateDirectory: options.stateDirectory,
    clock,
    identity: processIdentity(),
    tlds,
    isService: (name) => (table.find(name) ?? table.supervised(name)) !== undefined,
    note,
  });
  const tls = terminator({ clock, certificateFor: names.certificateFor, fault });

  const facts: Facts = {
    id,
    version,
    url: "",
    pid: process.pid,
    protocol,
    startedAt: Math.floor(performance.timeOrigin),
    socket: options.socket,
    port: options.port,
    tlds,
    stateDirectory,
    addresses: [],
    log: options.log,
  };
  let retabling: Cancel | undefined;
  const projects = supervision({
    stateDirectory,
    clock,
    env: options.env,
    configFile: options.configFile,
    tlds,
    addressOf(routeName, projectDomain) {
      const tld = tlds.find((its) => projectDomain.endsWith(`.${its}`)) ?? "localhost";
      const domain = `${routeName}.${tld}`;
      return {
        url: originOf(domain, { scheme: "http", port: facts.httpPort ?? facts.port }),
        domain,
      };
    },
    trust: options.serviceTrust,
    ownPorts: () => bound?.ports ?? [],
    onChange(change, service) {
      events.publish("supervised", { change, service });
      // Once for many: a table is made for each.
      retabling ??= clock.after(0, () => {
        retabling = undefined;
        retable();
        bound?.supervisedChanged();
      });
      if (service.state === "ready") void discovery.refresh();
    },
    note,
  });
  const backend: Backend = {
    facts: () => facts,
    projects,
    gauges: () => ({
      memory: process.memoryUsage.rss(),
      connections: {
        proxy: bound?.connections ?? 0,
        ...(doors?.connections() ?? { http: 0, ipc: 0 }),
      },
    }),
    services: () => table.services,
    scan: () => discovery.scan(),
    async look() {
      await discovery.refresh({ atOnce: true });
      const failure = discovery.failure();
      if (failure !== undefined) throw new CommandError("internal", failure.message);
    },
    attend: () => discovery.watch(),
    traffic: recorder,
    feed: events,
    trust: options.trust,
    // In a turn of its own, so that the answer is on its way.
    shutdown: () => void clock.after(0, () => dismissed.resolve("as it was asked to")),
  };
  const uid = process.getuid?.() ?? -1;
  // Not root's: the page is one person's.
  const pageUsers = clientUsers(peers, { uids: [uid], elsewhere: wsl });
  // Root may do everything here anyway. Who has started us by sudo is the person meant, whose browser is not root's.
  const proxyUsers = clientUsers(peers, {
    uids: [uid, 0, ...(uid === 0 ? sudoUser(process.env) : [])],
    elsewhere: wsl,
  });
  const doors = await openDoors({
    facts,
    options,
    backend,
    ownClient: (client) => isOwn(pageUsers(client)),
    note,
  });
  let published = false;
  const publish = async (port: number): Promise<void> => {
    if (doors === undefined) return;
    facts.port = port;
    doors.claim();
    const { stateDirectory: _, addresses: _a, log: _l, ...record } = facts;
    await writeRegistration(stateDirectory, record).catch((cause: Error) => {
      throw new Error(`the record cannot be written: ${cause.message}`, { cause });
    });
    published = true;
  };
  const unpublish = async (): Promise<void> => {
    if (published) await removeRegistration(stateDirectory, facts.id);
  };
  let bound: ReturnType<typeof startProxy> | undefined;
  const callers = peers && callerFinder({ root: "/proc", clock, now, peers });
  const bind = (port: number) =>
    startProxy({
      clock,
      port,
      extraPorts: options.extraPorts,
      wildcard: onWildcard,
      httpsRedirect: options.httpsRedirect,
      version,
      instance: instanceId(),
      routes: () => table,
      refresh: () => discovery.refresh(),
      stillThere: (service) => clock.now() - seen < knownFor || discovery.stillThere(service),
      touch: () => discovery.touch(),
      clientUser: proxyUsers,
      otherUsers: options.otherUsers,
      isOwn:
        process.platform !== "linux"
          ? undefined
          : (place, owners) =>
              belongsTo(listenersOn(place.port), { place, users: [uid, 0, ...owners] }),
      departed: peers && departedClients(peers, { elsewhere: wsl }),
      terminator: tls,
      recorder,
      callers,
      bareNames: () => names.bareNames,
      supervision: {
        wake: (service) => projects.wake(service),
        latest: (service, count) => plainLines(projects.logs.of(service).last(count)),
      },
      fault,
      note,
    });
  // Before the port is ours: whoever comes first finds what it asks for.
  await discovery.start();
  const claimed = await claimPort({
    clock,
    port: options.port,
    extras: options.extraPorts.map(({ port }) => port).filter((port) => port !== 0),
    unlessRunning: options.unlessRunning,
    find: () => findDaemon(stateDirectory, { clock }),
    vacancy,
    bind,
    publish,
    stillOurs: () => ownerOfRecord(stateDirectory, facts.id) !== "lost",
  }).catch(async (cause) => {
    discovery.stop();
    await unpublish();
    await doors?.close();
    const {
      code,
      message,
      port = options.port,
    } = cause as Error & { code?: string; port?: number };
    if (code === undefined) throw cause;
    const why = new Error(`cannot listen on port ${port}: ${message}`, { cause });
    throw Object.assign(why, { code, port });
  });
  if (claimed.kind !== "bound") {
    discovery.stop();
    await doors?.close();
    return undefined;
  }
  const { bound: proxy, predecessor } = claimed;
  bound = proxy;
  // Somebody who started at the same time, on another port or after we had asked for this one.
  const superseded =
    predecessor === undefined
      ? options.unlessRunning && (await findDaemon(stateDirectory, { clock })).kind === "healthy"
      : ownerOfRecord(stateDirectory, facts.id) === "lost";
  if (superseded) {
    discovery.stop();
    await Promise.all([proxy.stop(0), doors?.close()]);
    return undefined;
  }
  facts.addresses = proxy.addresses;
  const { http, https } = proxy.urlPorts;
  if (http !== proxy.port) facts.httpPort = http;
  if (https !== proxy.port) facts.httpsPort = https;
  try {
    await publish(proxy.port);
    // Somebody may have replaced it while both of us started.
    await doors?.renewCredential();
  } catch (error) {
    note(`other commands cannot find this daemon: ${(error as Error).message}`);
  }
  const cancel = published
    ? converge({
        stateDirectory,
        id: facts.id,
        clock,
        tick() {
          doors?.claim();
          void doors?.renewCredential();
        },
        lost: () => dismissed.resolve("as another was started, or the record removed"),
      })
    : () => {};
  if (tlds.length > 0) void names.compare();

  projects.begin();
  const stopIdle = idleWatch({
    clock,
    services: () => projects.mayDoze(),
    traffic: (name) => recorder.counts(name),
    onIdle: (service) => projects.doze(service),
  });
  const stopNews = trafficNews({ clock, traffic: recorder, feed: events });

  let stopping: Promise<void> | undefined;
  return {
    port: proxy.port,
    ports: proxy.ports,
    urlPorts: proxy.urlPorts,
    refusedPorts: proxy.refusedPorts,
    addresses: proxy.addresses,
    predecessor,
    dismissed: dismissed.promise,
    stop() {
      stopping ??= (async () => {
        cancel();
        events.publish("stopping", {});
        stopNews();
        stopIdle();
        discovery.stop();
        // The listeners close before this returns, so that the next daemon has the ports at once.
        const drained = proxy.stop(drainMilliseconds);
        const rested = projects.stopAll();
        await unpublish().catch((error: Error) => {
          // It names a daemon that is about to end, and no probe will find it.
          note(`the record of this daemon stays: ${error.message}`);
        });
        await Promise.all([drained, rested]);
        retabling?.();
        callers?.stop();
        events.stop();
        await doors?.close();
      })();
      return stopping;
    },
  };
}

/** What was seen, with what projects that are up have a right to. */
function judgedBy({ services }: RouteTable, changes: Changes): Changes {
  const rows = Map.groupBy(services, ({ process }) => process.pid);
  const judged = (these: readonly Service[]) =>
    these.map((its) => rows.get(its.process.pid)?.find(({ name }) => name === its.name) ?? its);
  const { appeared, changed, gone } = changes;
  return { appeared: judged(appeared), changed: judged(changed), gone };
}

function tellChanges(changes: Changes, backend: Backend): void {
  for (const change of ["appeared", "changed", "gone"] as const) {
    for (const service of changes[change]) {
      backend.feed.publish("service", { change, service: report(service, backend) });
    }
  }
}

type Doors = {
  /** The socket is to be ours: before the record says where it is, and whenever it is not. */
  claim(): void;
  /** After it was deleted, or others could read it. */
  renewCredential(): Promise<void>;
  connections(): { http: number; ipc: number };
  close(): Promise<void>;
};

type DoorsOptions = {
  facts: Facts;
  options: DaemonOptions;
  backend: Backend;
  ownClient(client: Ends): boolean | undefined;
  note(text: string): void;
};

/** Undefined, and told, where the state directory cannot be written: the proxy works without. */
async function openDoors({ facts, options, backend, ownClient, note }: DoorsOptions) {
  const { stateDirectory, allowedOrigins } = options;
  const clock = systemClock;
  let credential: string;
  const renewCredential = async (): Promise<void> => {
    try {
      const ensured = await ensureCredential(stateDirectory);
      const changed = ensured.value !== credential;
      credential = ensured.value;
      if (ensured.note !== undefined) note(ensured.note);
      if (changed) pages.credentialChanged();
    } catch (error) {
      note(`the credential cannot be looked at: ${(error as Error).message}`);
    }
  };
  try {
    const ensured = await ensureCredential(stateDirectory);
    credential = ensured.value;
    if (ensured.note !== undefined) note(ensured.note);
  } catch (error) {
    note(`other commands cannot find this daemon: ${(error as Error).message}`);
    return undefined;
  }
  const fault = (error: unknown): void =>
    note(`a command failed by a fault of ours: ${textOf(error)}`);
  const tokens = sessions({ clock, credential: () => credential });
  await removeKeptScripts(stateDirectory);
  const openAt = (port: number): HttpDoor =>
    startHttp({
      clock,
      credential: () => credential,
      allowedOrigins,
      backend,
      port,
      page: dashboard({ sessions: tokens, script: pageScript, fault }),
      ownClient,
      fault,
    });
  const pages = await openKept(openAt, { stateDirectory, clock, note });
  const { http } = pages;
  facts.url = http.url;
  backend.dashboard = () => `${pages.url()}${linkPath}?token=${tokens.issue("link")}`;
  const ipc = ipcAt({
    wanted: options.socket,
    backend,
    credential: () => credential,
    fault,
    note,
  });
  facts.socket = ipc?.path ?? options.socket;
  let said: string | undefined;
  const doors: Doors = {
    claim() {
      try {
        ipc?.claim();
        said = undefined;
      } catch (error) {
        const why = `there is no socket for other commands: ${(error as Error).message}`;
        // It is tried every second, and told once.
        if (why !== said) note(why);
        said = why;
      }
    },
    renewCredential,
    connections: () => ({ http: pages.connections(), ipc: ipc?.connections ?? 0 }),
    async close() {
      await Promise.all([pages.stop(), ipc?.stop()]);
    },
  };
  return doors;
}

type Pages = {
  /** The door that the record tells of. */
  http: HttpDoor;
  /** Where a page is to be opened. */
  url(): string;
  connections(): number;
  credentialChanged(): void;
  stop(): Promise<void>;
};

/**
 * A page that is open cannot follow us to another port. So the door is where the last daemon's was; where that one is
 * still going, there is a second door as soon as it has gone.
 */
async function openKept(
  openAt: (port: number) => HttpDoor,
  {
    stateDirectory,
    clock,
    note,
  }: { stateDirectory: string; clock: Clock; note(text: string): void },
): Promise<Pages> {
  const kept = await keptPort(stateDirectory);
  const open = (port: number): HttpDoor | undefined => {
    try {
      return openAt(port);
    } catch {
      // Somebody has it; who that is matters to nobody, as any other port does as well.
      return undefined;
    }
  };
  const http = (kept === 0 ? undefined : open(kept)) ?? openAt(0);
  const keep = (port: number): void => {
    keepPort(stateDirectory, port).catch((error: Error) => {
      note(`an open page will not find the next daemon: ${error.message}`);
    });
  };
  let second: HttpDoor | undefined;
  let cancel: Cancel = () => {};
  if (kept !== 0 && http.port !== kept) {
    cancel = clock.every(doorInterval, () => {
      second = open(kept);
      if (second !== undefined) cancel();
    });
  }
  return {
    http,
    url() {
      const { url, port } = second ?? http;
      // Not before there is a page to find it.
      if (kept === 0) keep(port);
      return url;
    },
    connections: () => http.connections + (second?.connections ?? 0),
    credentialChanged() {
      http.credentialChanged();
      second?.credentialChanged();
    },
    async stop() {
      cancel();
      await Promise.all([http.stop(), second?.stop()]);
    },
  };
}

type IpcAt = {
  wanted: string;
  backend: Backend;
  credential(): string;
  fault(error: unknown): void;
  note(text: string): void;
};

function ipcAt({ wanted, backend, credential, fault, note }: IpcAt): IpcDoor | undefined {
  const uid = process.getuid?.() ?? -1;
  const { platform, env } = process;
  try {
    const path = socketPath(wanted, { platform, uid, runtimeDirectory: env.XDG_RUNTIME_DIR });
    const peers = peerCredentials(platform);
    return ipcDoor({ path, clock: systemClock, backend, peers, uid, credential, fault });
  } catch (error) {
    note((error as Error).message);
    return undefined;
  }
}

/** There anyone may have these ports, but on the wildcard address only. */
function onWildcard(port: number): boolean {
  return process.platform === "darwin" && process.getuid?.() !== 0 && port > 0 && port < 1024;
}

/** Looks by listening for a moment, which is how the proxy will. */
function vacancy(port: number): Vacancy {
  if (port === 0) return "free";
  try {
    const hostname = onWildcard(port) ? "0.0.0.0" : "127.0.0.1";
    Bun.listen({ hostname, port, socket: { data() {} } }).stop(true);
    return "free";
  } catch (error) {
    return (error as { code?: unknown }).code === "EADDRINUSE" ? "taken" : "never";
  }
}

/** sudo(8). */
function sudoUser({ SUDO_UID }: Readonly<Record<string, string | undefined>>): number[] {
  return SUDO_UID !== undefined && /^\d{1,10}$/.test(SUDO_UID) ? [Number(SUDO_UID)] : [];
}

function instanceId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(4))).toString("hex");
}

function textOf(fault: unknown): string {
  return fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
}
