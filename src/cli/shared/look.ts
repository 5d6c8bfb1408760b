/** Settings -> what runs on this machine now: the scan, its services, and our proxy. */
import { homedir, hostname, release } from "node:os";
import { claimsOf, lookOnce } from "../../containers/one-look.ts";
import { ask, isFrom } from "../../control/found/client.ts";
import type { SeenSight } from "../../control/commands/reports.ts";
import { namesOfList } from "../../manifest/name-settings.ts";
import { protocol } from "../../control/found/protocol.ts";
import { type Registration, readRegistration } from "../../control/found/registration.ts";
import type { Infer } from "../../discovery/inference.ts";
import { givenClaims, namesPath } from "../../discovery/names-file.ts";
import { naming } from "../../discovery/services.ts";
import type { Scan, Source } from "../../discovery/observation.ts";
import { chooseSource } from "../../discovery/source.ts";
import { type JsonForm, ofJsonForm } from "../../routes/json-form.ts";
import { unusableServers } from "../../discovery/unusable.ts";
import type { RemoteReport } from "../../routes/remote-report.ts";
import type { Service } from "../../routes/service.ts";
import type { Supervised } from "../../routes/supervised.ts";
import type { TableOptions } from "../../routes/table.ts";
import type { UrlPorts } from "../../routes/service-row.ts";
import type { OwnCheckouts } from "./own-checkouts.ts";
import { daemonIfUsable, mentionVersion } from "./daemon-here.ts";
import { keptNames, type WaitingName } from "../../routes/waiting-name.ts";
import type { Unusable } from "../../routes/unusable.ts";
import { systemClock } from "../../system/clock.ts";
import { ownFile } from "../../system/own-bun.ts";
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

/** Microsoft's kernels have their name in the release, in WSL 1 and 2 alike. */
export function isWsl(): boolean {
  return /microsoft/i.test(release());
}

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
    if (seen === undefined && lookOurselves === undefined && world !== undefined) {
      const running = await daemonIfUsable(settings, world);
      if (running !== undefined) seen = await seenByDaemon(settings, world);
    }
    if (seen !== undefined && !own) return seen;
    lookOurselves ??= ownLooker(settings);
    const sight = await lookOurselves();
    // No look at the machine shows the services of projects that do not listen.
    if (seen !== undefined) {
      return { ...sight, supervised: seen.supervised, remotes: seen.remotes };
    }
    return { ...sight, trouble: world?.daemonTalk?.trouble ?? false };
  };
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
  if (world !== undefined) mentionVersion(record, world);
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

/** Milliseconds. An engine answers in a few; one that hangs holds up only a look that no daemon answers. */
const engineDeadline = 200;

function ownLooker(settings: Settings): Looker {
  const source = sourceOf(settings);
  const uid = process.getuid?.() ?? 0;
  const machine = { hostName: hostname(), wsl: isWsl(), uid };
  let its: OwnCheckouts | undefined;
  let infer: Infer | undefined;
  let judge: ((scan: Scan) => Scan) | undefined;
  // A file that is broken is told of by the verbs that are about names.
  const given = givenClaims(namesPath(settings.stateDirectory), () => {});
  return async () => {
    its ??= (await import("./own-checkouts.ts")).ownCheckouts();
    const { known, worktrees } = its;
    const checkout = (folder: string) => known.of(folder);
    // Loaded where no daemon has looked: `ls` has 40 ms for everything.
    judge ??= (await import("./common-names.ts")).commonNamesHere(known, machine);
    if (settings.infer) {
      infer ??= (await import("./folder-names.ts")).folderNames(settings, known);
    }
    const [found, record, engines] = await Promise.all([
      source.scan(),
      readRegistration(settings.stateDirectory),
      lookOnce({
        ...{ clock: systemClock, env: process.env, home: homedir(), uid, deadline: engineDeadline },
        wanted: settings.config.containers?.value ?? true,
      }),
    ]);
    const scan = judge(found);
    const proxy = record !== undefined && holds(scan, record) ? record : undefined;
    const named = naming(scan, {
      ...machine,
      worktrees,
      ownPid: proxy?.pid ?? process.pid,
      infer,
      claims: [...given.now(), ...claimsOf(engines, { checkout })],
    });
    return {
      scan,
      ...named,
      supervised: [],
      proxy,
      ...portsOf(settings, proxy),
      routing: { checkouts: known, kept: keptNames(named.waiting) },
      tlds: proxy?.tlds ?? settings.tlds,
    };
  };
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

export function sourceOf(settings: Settings): Source {
  return chooseSource(settings.scanner, {
    uid: process.getuid?.() ?? 0,
    allUsers: settings.allUsers,
  });
}

/** A record may be old, and its pid may belong to another process. */
function holds(scan: Scan, { pid, port }: Registration): boolean {
  return scan.observations.some((seen) => seen.port === port && seen.pids.includes(pid));
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
