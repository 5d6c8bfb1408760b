/** The routes as they change -> the block of this user in the hosts file, kept in step with them. */
import { version } from "../../package.json" with { type: "json" };
import { hostNames, isUnder } from "../helper/host-names.ts";
import { HostsInStep, type StepResult } from "../helper/hosts-in-step.ts";
import { askToWrite } from "../helper/hosts-program.ts";
import {
  hostsRight,
  mayWrite,
  rightFingerprint,
  setupHosts,
  writableDomains,
} from "../helper/hosts-right.ts";
import { standingOf } from "../helper/read-hosts.ts";
import { writeHosts } from "../helper/write-hosts.ts";
import type { Clock } from "../system/clock.ts";
import type { CurrentRoutes } from "./current-routes.ts";
import { LastingFault } from "./lasting-fault.ts";
import type { DaemonOptions } from "./options.ts";

export type NamesInStepOptions = Pick<DaemonOptions, "hostsBlock"> & {
  clock: Clock;
  routes: Pick<CurrentRoutes, "table" | "supervised">;
  /** False while another daemon takes over, and from then on: the names are that one's. */
  isOurs(): boolean;
  note(text: string): void;
};

export type NamesInStep = {
  /** The routes are others than before. */
  changed(): void;
  /** The names go, unless they are another daemon's. */
  end(): Promise<void>;
};

/** Milliseconds between looks at files that others change: `setup`, an editor, a VPN that writes the hosts file. */
const lookEvery = 30_000;

const nothing: NamesInStep = { changed() {}, end: async () => {} };

/** Nothing is written before the first `changed`. */
export function namesInStep(options: NamesInStepOptions): NamesInStep {
  const { clock, hostsBlock, routes, isOurs, note } = options;
  if (hostsBlock === undefined) return nothing;
  const { wanted, root } = hostsBlock;
  const { platform } = process;
  const uid = process.getuid?.();
  // Windows, which has no users by number.
  if (uid === undefined) return nothing;
  const place = { root, uid };
  const fault = new LastingFault("names are not kept in /etc/hosts", note);

  /** With `hosts = false`, names of an earlier time go. */
  const names = (): readonly string[] => {
    if (wanted === false) return [];
    const { services, origins, tlds } = routes.table;
    const its = hostNames({ services, origins, tlds, supervised: routes.supervised });
    if (hostsRight(place, { platform }).kind === "ourselves") return its.names;
    // The program refuses a list with any other name in it.
    return its.names.filter(isUnder(["localhost", ...writableDomains(root)]));
  };

  const writer = (): ((its: readonly string[]) => Promise<StepResult>) | undefined => {
    if (!isOurs()) return undefined;
    // Where nobody has said anything, whoever has been given the right by `setup` wants it.
    if (wanted === undefined && !mayWrite(place)) return undefined;
    const right = hostsRight(place, { platform });
    if (right.kind === "none") {
      if (wanted === false || (wanted === undefined && !right.isAsked)) return undefined;
      return async () => ({ kind: "failed", why: `${right.why}; ${right.fix}` });
    }
    if (right.kind === "ourselves") {
      return async (its) => {
        const result = await writeHosts({ ...place, names: its });
        return result.kind === "failed" ? result : { kind: "written" };
      };
    }
    return async (its) => {
      const answer = await askToWrite(its, { path: right.path, version });
      if (answer.kind === "written" || answer.kind === "failed") return answer;
      if (answer.kind === "refused") return { kind: "failed", why: `${answer.why}; ${setupHosts}` };
      const theirs = `${right.path} is of version ${answer.theirs}, and this daemon of ${version}`;
      return { kind: "failed", why: `${theirs}; ${setupHosts}` };
    };
  };

  const step = new HostsInStep({
    ...{ clock, names, writer },
    isThere: (its) => standingOf(its, place).kind === "in step",
    failed: (why) => fault.met(new Error(why)),
    settled: () => fault.over(),
  });
  let seen = rightFingerprint(root);
  const stopLooking = clock.every(lookEvery, () => {
    const now = rightFingerprint(root);
    if (now === seen) return;
    seen = now;
    step.changed();
  });
  return {
    changed: () => step.changed(),
    end() {
      stopLooking();
      return step.end({ remove: isOurs() });
    },
  };
}
