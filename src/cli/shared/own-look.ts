/** Settings -> what runs on this machine, as this command sees it: loaded where no daemon has looked. */
import { homedir, hostname } from "node:os";
import { claimsOf, lookOnce } from "../../containers/one-look.ts";
import type { Registration } from "../../control/found/protocol.ts";
import { readRegistration } from "../../control/found/registration.ts";
import type { Infer } from "../../discovery/inference.ts";
import { type Host, nameOf } from "../../discovery/name.ts";
import { givenClaims, namesPath } from "../../discovery/names-file.ts";
import type { Scan, Source } from "../../discovery/observation.ts";
import { type Naming, naming } from "../../discovery/services.ts";
import { chooseSource } from "../../discovery/source.ts";
import type { TableOptions } from "../../routes/table.ts";
import { keptNames } from "../../routes/waiting-name.ts";
import { systemClock } from "../../system/clock.ts";
import { commonNamesHere } from "./common-names.ts";
import { isWsl } from "./is-wsl.ts";
import { ownCheckouts } from "./own-checkouts.ts";
import type { Settings } from "./settings.ts";

/** Milliseconds. An engine answers in a few; one that hangs holds up only a look that no daemon answers. */
const engineDeadline = 200;

export type OwnSight = Naming & {
  scan: Scan;
  /** The part of a table of routes that is not a service. */
  routing: Required<Pick<TableOptions, "checkouts" | "kept">>;
  /** The daemon that has left a record, if it holds its port. */
  proxy: Registration | undefined;
};

export function ownLooker(settings: Settings): () => Promise<OwnSight> {
  const source = sourceOf(settings);
  const uid = process.getuid?.() ?? 0;
  const machine = { hostName: hostname(), wsl: isWsl(), uid };
  const { known, worktrees } = ownCheckouts();
  const judge = commonNamesHere(known, machine);
  const checkout = (folder: string) => known.of(folder);
  let infer: Infer | undefined;
  // A file that is broken is told of by the verbs that are about names.
  const given = givenClaims(namesPath(settings.stateDirectory), () => {});
  return async () => {
    const [found, record, engines] = await Promise.all([
      source.scan(),
      readRegistration(settings.stateDirectory),
      lookOnce({
        ...{ clock: systemClock, env: process.env, home: homedir(), uid, deadline: engineDeadline },
        wanted: settings.config.containers?.value ?? true,
      }),
    ]);
    const scan = judge(found);
    // Loaded where it is needed: `ls` has 40 ms for everything.
    if (settings.infer && hasNameless(scan, machine)) {
      infer ??= (await import("./folder-names.ts")).folderNames(settings, known);
    }
    const proxy = record !== undefined && holds(scan, record) ? record : undefined;
    const claims = [...given.now(), ...(await claimsOf(engines, { checkout }))];
    const ownPid = proxy?.pid ?? process.pid;
    const named = naming(scan, { ...machine, worktrees, ownPid, infer, claims });
    return {
      scan,
      ...named,
      proxy,
      routing: { checkouts: known, kept: keptNames(named.waiting) },
    };
  };
}

/** Whether a server of this user may be without a NAME that counts. */
function hasNameless(scan: Scan, { uid, ...host }: Host & { uid: number }): boolean {
  const { observations, processes, common = [] } = scan;
  if (common.length > 0) return true;
  const all = observations.flatMap(({ pids }) => pids.flatMap((pid) => processes.get(pid) ?? []));
  return all.some((its) => its.uid === uid && nameOf(its.name, host).kind === "none");
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
