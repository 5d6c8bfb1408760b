/** This machine's listening sockets -> the route table, the events and the lines for a person, scan by scan. */
import { homedir, hostname } from "node:os";
import { engines } from "../containers/engines.ts";
import type { Feed } from "../control/commands/events.ts";
import { report } from "../control/commands/reports.ts";
import type { Facts } from "../control/found/protocol.ts";
import type { Checkouts } from "../discovery/checkouts.ts";
import { commonNames } from "../discovery/common-names.ts";
import type { GivenClaims } from "../discovery/names-file.ts";
import { type Scanner, scanner } from "../discovery/scanner.ts";
import { chooseSource } from "../discovery/source.ts";
import type { Supervised } from "../routes/supervised.ts";
import { worktreeLabels } from "../discovery/worktree-labels.ts";
import { commonNameText } from "../routes/common-name.ts";
import type { Claim } from "../routes/claim.ts";
import type { Traffic } from "../routes/traffic.ts";
import type { Clock } from "../system/clock.ts";
import type { CurrentRoutes } from "./current-routes.ts";
import { type FolderNames, inferring } from "./inferring.ts";
import type { DaemonOptions } from "./options.ts";
import type { Stopping } from "./stops.ts";

export type DiscoveringOptions = Pick<
  DaemonOptions,
  | "scanner"
  | "allUsers"
  | "infer"
  | "stateDirectory"
  | "onServices"
  | "onSkipped"
  | "containers"
  | "env"
> & {
  clock: Clock;
  checkouts: Checkouts;
  wsl: boolean;
  routes: CurrentRoutes;
  /** The services of projects at this moment. */
  supervised(): readonly Supervised[];
  facts: Facts;
  traffic: Traffic;
  feed: Feed;
  note(text: string): void;
  /** Names that a person has given. */
  given: GivenClaims;
  /** Names of servers on other machines. */
  remote(): readonly Claim[];
  stops: Stopping;
};

export type Discovering = {
  discovery: Scanner;
  /** Milliseconds since the last scan ended. */
  age(): number;
  folderNames: FolderNames;
};

/** Nothing is looked for before the scanner's `start`. */
export function discovering(options: DiscoveringOptions): Discovering {
  const { clock, checkouts, routes, facts, traffic, note } = options;
  const uid = process.getuid?.() ?? 0;
  let scannedAt = 0;
  const folderNames = inferring({ ...options, uid });
  options.stops.push("the names of folders", () => folderNames.flush());
  const containers = engines({
    clock,
    env: options.env,
    wanted: options.containers ?? false,
    checkout: (folder) => checkouts.of(folder),
    onChange() {
      // The first scan has them anyway.
      if (scannedAt === 0 && discovery.failure() === undefined) return;
      discovery.rename();
      // The sockets of a container that has just started are not in the last scan.
      void discovery.refresh();
    },
  });
  options.stops.push("the news of containers", () => containers.stop());
  const discovery = scanner({
    source: chooseSource(options.scanner, { uid, allUsers: options.allUsers }),
    clock,
    hostName: hostname(),
    wsl: options.wsl,
    ownPid: process.pid,
    uid,
    infer: options.infer ? folderNames.infer : undefined,
    worktrees: worktreeLabels(checkouts),
    judge: commonNames({
      wsl: options.wsl,
      commonFolders: new Set([homedir()]),
      repositoryOf: (folder) => checkouts.of(folder)?.repository,
    }),
    onCommon: (common) => note(commonNameText(common)),
    claims: () => [...options.given.now(), ...containers.claims(), ...options.remote()],
    // A person reads our lines about services that come and go.
    watched: true,
    onServices(found, changes) {
      scannedAt = clock.now();
      const judged = routes.scanned(found, changes);
      for (const change of ["appeared", "changed", "gone"] as const) {
        for (const service of judged[change]) {
          options.feed.publish("service", {
            change,
            service: report(service, { facts: () => facts, traffic }),
          });
        }
      }
      options.onServices(routes.table.services, judged);
    },
    onSkipped: ({ pid, why }) =>
      options.onSkipped(pid === undefined ? `skipped: ${why}` : `process ${pid} skipped: ${why}`),
    onFailure: (error) => note(`looking for services failed: ${error.message}`),
  });
  containers.start();
  return { discovery, folderNames, age: () => clock.now() - scannedAt };
}
