/** Settings -> what runs on this machine now: the scan, its services, and our proxy. */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import packageJson from "../../../package.json" with { type: "json" };
import { ask, isFrom } from "../../control/found/client.ts";
import type { SeenSight } from "../../control/commands/reports.ts";
import { namesOfList } from "../../manifest/name-settings.ts";
import { protocol } from "../../control/found/protocol.ts";
import {
  type Registration,
  readRegistration,
  registrationPath,
} from "../../control/found/registration.ts";
import type { Scan } from "../../discovery/observation.ts";
import { type JsonForm, ofJsonForm } from "../../routes/json-form.ts";
import { unusableServers } from "../../discovery/unusable.ts";
import type { RemoteReport } from "../../routes/remote-report.ts";
import type { Service } from "../../routes/service.ts";
import type { Supervised } from "../../routes/supervised.ts";
import type { TableOptions } from "../../routes/table.ts";
import type { UrlPorts } from "../../routes/service-row.ts";
import { keptNames, type WaitingName } from "../../routes/waiting-name.ts";
import type { Unusable } from "../../routes/unusable.ts";
import { ownFile } from "../../system/own-bun.ts";
import { isWsl } from "./is-wsl.ts";
import { defaultPort, type Settings } from "./settings.ts";
import type { World } from "./world.ts";

export type Sight = {
  scan: Scan;
  services: readonly Service[];
  /** The services of projects, as far as a daemon was asked. */
  supervised: readonly Supervised[];
  /** The other machines whose servers have names here, as far as a daemon was asked. */
  remotes?: readonly RemoteReport[] | undefined;
  /** Names that are kept for places at which nobody is now. */
  waiting?: readonly WaitingName[] | undefined;
  /** Undefined where none is running. */
  proxy: Pick<Registration, "pid" | "port"> | undefined;
  /** A daemon runs that could not be asked, as was said. */
  trouble?: boolean;
  /** The proxy's main port. */
  port: number;
  /** The ports in URLs. */
  urlPorts: UrlPorts;
  /** More of what the proxy decides by. */
  routing?: Pick<TableOptions, "checkouts" | "configured" | "remotes" | "kept">;
  /** The domains besides `localhost` that names end in: those of the proxy that runs, or else the configured ones. */
  tlds: readonly string[];
};

/** Looks repeatedly; the source is chosen once, because it caches what it has read. */
export type Looker = (wanted?: Wanted) => Promise<Sight>;

/** `name`: one of another machine, which is waited for as long as a request would wait. */
type Wanted = { name: string };

/**
 * Asks the running daemon, which looks in the same way; looks itself where none runs, or another way is asked for. With
 * a world, the first look waits for a daemon that is in trouble, and reports one that cannot be used.
 */
export function looker(settings: Settings, { world }: { world?: World } = {}): Looker {
  // These options are about this look, and not about how the daemon looks.
  const own = settings.scanner !== "auto" || settings.allUsers;
  let lookOurselves: Looker | undefined;
  return async (wanted) => {
    let seen = await seenByDaemon(settings, world, wanted);
    const first = seen === undefined && lookOurselves === undefined;
    if (first && world !== undefined && leftAnything(settings)) {
      const { daemonIfUsable } = await import("./daemon-here.ts");
      const running = await daemonIfUsable(settings, world);
      if (running !== undefined) seen = await seenByDaemon(settings, world);
    }
    if (seen !== undefined && !own) return seen;
    lookOurselves ??= await ownLooker(settings);
    const sight = await lookOurselves();
    // No look at the machine shows the services of projects that do not listen.
    if (seen !== undefined) {
      return { ...sight, supervised: seen.supervised, remotes: seen.remotes };
    }
    return { ...sight, trouble: world?.daemonTalk?.trouble ?? false };
  };
}

/** Its code is loaded where no daemon looks: `ls` has 40 ms for everything. */
async function ownLooker(settings: Settings): Promise<Looker> {
  const look = (await import("./own-look.ts")).ownLooker(settings);
  return async () => {
    const { proxy, ...sight } = await look();
    const tlds = proxy?.tlds ?? settings.tlds;
    return { ...sight, supervised: [], proxy, ...portsOf(settings, proxy), tlds };
  };
}

/** Whether there is anything by which a daemon could be found: its code is not loaded where none ever ran. */
function leftAnything({ stateDirectory, socket }: Settings): boolean {
  return existsSync(registrationPath(stateDirectory)) || existsSync(socket);
}

/** Milliseconds. A look takes a few; one that hangs is replaced by our own. */
const daemonDeadline = 1000;
/** The same, where it waits for another machine first, which has five seconds. */
const remoteDeadline = 7_000;

/** Undefined where none is running, or one with another protocol. */
async function seenByDaemon(
  settings: Settings,
  world: World | undefined,
  wanted?: Wanted,
): Promise<Sight | undefined> {
  const record = await readRegistration(settings.stateDirectory);
  if (record === undefined || record.protocol !== protocol) return undefined;
  const answer = await ask<{ Look: JsonForm<SeenSight> }>(record.socket, asked(world, wanted), {
    deadline: wanted === undefined ? daemonDeadline : remoteDeadline,
  });
  if (answer.kind === "failed" || !isFrom(answer.value.Look?.daemon, record)) return undefined;
  const seen = ofJsonForm<SeenSight>(answer.value.Look);
  const { daemon, services, supervised = [], remotes = [], waiting = [], scan, configured } = seen;
  if (world !== undefined && record.version !== packageJson.version) {
    (await import("./daemon-here.ts")).mentionVersion(record, world);
  }
  return {
    scan: { ...scan, processes: new Map(scan.processes.map((its) => [its.pid, its])) },
    services,
    supervised,
    remotes,
    waiting,
    proxy: daemon,
    ...portsOf(settings, daemon),
    routing: {
      configured: configured && namesOfList(configured),
      remotes: new Set(remotes.flatMap(({ name, left }) => [name, ...left])),
      kept: keptNames(waiting),
    },
    tlds: daemon.tlds,
  };
}

/** Another machine that looks at this one wants to know of no third, and must not keep those connections in use. */
function asked(world: World | undefined, wanted: Wanted | undefined): unknown {
  if (world?.env.LOCALHOSTESS_REMOTE) return { Look: { local: true } };
  return wanted === undefined ? "Look" : { Look: wanted };
}

/** The same sight, with the checkouts that longer names may be of: for verbs that are about one name. */
export async function withCheckouts(sight: Sight): Promise<Sight> {
  if (sight.routing?.checkouts !== undefined) return sight;
  const { ownCheckouts } = await import("./own-checkouts.ts");
  return { ...sight, routing: { ...sight.routing, checkouts: ownCheckouts().known } };
}

/** A port that was typed is used in URLs; else the running proxy says which ports its URLs have. */
export function portsOf(
  settings: Settings,
  proxy: Pick<Registration, "port" | "httpPort" | "httpsPort"> | undefined,
): Pick<Sight, "port" | "urlPorts"> {
  const port = settings.port || (proxy?.port ?? defaultPort);
  const known = proxy?.port === port && !settings.portFlag ? proxy : undefined;
  return { port, urlPorts: { http: known?.httpPort ?? port, https: known?.httpsPort ?? port } };
}

/** The servers that no name leads to, without the proxy, by port. */
export function unusableIn({ scan, services, supervised, proxy }: Sight): Unusable[] {
  return unusableServers(scan, {
    hostName: hostname(),
    wsl: isWsl(),
    uid: process.getuid?.() ?? 0,
    services,
    supervised,
    ownPids: new Set(proxy === undefined ? [] : [proxy.pid]),
    ownFile: ownFile(),
  });
}
