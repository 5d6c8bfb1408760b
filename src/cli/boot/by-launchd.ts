/** The service as an agent of launchd -> its file, the calls of launchctl, and what those answer. macOS. */
import { xmlComment } from "../../boot/owned-text.ts";
import { agentPath } from "../../boot/places.ts";
import { launchdLabel, plistText } from "../../boot/plist-text.ts";
import type { CommandResult } from "../../system/command.ts";
import { shellCommand } from "../../text/shell-words.ts";
import { Failure } from "../shared/failure.ts";
import { havingOf, type Wanted, writing } from "./owned-file.ts";
import {
  type Plan,
  resultText,
  type ServicePlace,
  type ServiceWay,
  type Standing,
  type Step,
  type Verdict,
  type Words,
} from "./plan.ts";

/** Exit codes of launchctl, which are errno's and launchd's own; `launchctl error <code>` prints their words. */
const codes = {
  /** The agent is loaded already, or was disabled. */
  inputOutput: 5,
  /** The agent is being loaded, or unloaded. */
  busy: [36, 37],
  /** No such agent is loaded. */
  unknown: [3, 113],
  /** There is no such session: nobody has logged in at the screen. */
  noSession: 125,
} as const;

export function byLaunchd(place: ServicePlace): ServiceWay {
  const path = agentPath(place.world);
  const domain = `gui/${place.uid}`;
  const target = `${domain}/${launchdLabel}`;
  const launchctl = (...words: string[]): Words => ["launchctl", ...words];
  const agent: Wanted = {
    path,
    comment: xmlComment,
    text: plistText({ ...place, program: place.program.path, log: place.settings.log }),
  };

  /** Undefined where it is not loaded; the pid where it runs. */
  async function loaded(): Promise<{ pid: number | undefined } | undefined> {
    const result = await place.run(launchctl("print", target));
    if (result.kind !== "done" || result.code !== 0) return undefined;
    const pid = /^\s*pid = (\d+)$/m.exec(result.stdout)?.[1];
    return { pid: pid === undefined ? undefined : Number(pid) };
  }

  return {
    files: [path],
    async install(): Promise<Plan> {
      const its = await loaded();
      const steps: Step[] = await writing(agent, {
        force: place.force,
        instead: "what you have changed would be lost",
      });
      if (its !== undefined && steps.length > 0) {
        steps.push({ do: "run", words: launchctl("bootout", target) });
      }
      if (its === undefined || steps.length > 0) {
        steps.push({ do: "run", words: launchctl("enable", target) });
        steps.push({ do: "run", words: launchctl("bootstrap", domain, path) });
      } else if (its.pid === undefined) {
        steps.push({ do: "run", words: launchctl("kickstart", target) });
      }
      return { steps, notes: [] };
    },

    async uninstall(): Promise<Plan> {
      const its = await loaded();
      const having = await havingOf(agent);
      if (having.kind === "edited" && !place.force) {
        throw new Failure(
          "exists",
          `${path} was changed by somebody; to remove it all the same: localhostess service uninstall --force`,
        );
      }
      const out: Step[] =
        its === undefined ? [] : [{ do: "run", words: launchctl("bootout", target) }];
      const gone: Step[] = having.kind === "absent" ? [] : [{ do: "remove", path }];
      return { steps: [...out, ...gone], notes: [] };
    },

    async standing(): Promise<Standing> {
      const its = await loaded();
      const having = await havingOf(agent);
      const isThere = having.kind !== "absent";
      return {
        installed: isThere,
        file: isThere ? path : null,
        edited: having.kind === "edited",
        current: having.kind === "current",
        pid: its?.pid ?? null,
        at_boot: false,
        problems:
          isThere && its === undefined
            ? [
                "launchd has not loaded the agent, and does at the next login; to load it now: localhostess service install",
              ]
            : [],
      };
    },

    verdict,
  };
}

function verdict(words: Words, result: CommandResult): Verdict {
  const text = resultText(result);
  const code = result.kind === "done" ? result.code : undefined;
  const is = (known: number | readonly number[]): boolean =>
    code !== undefined && [known].flat().includes(code);
  const verb = words[1];
  if (is(codes.unknown) && verb === "bootout") return { kind: "fine" };
  // `bootout` comes back before the daemon has ended; so does the answer to `bootstrap` after it.
  if (is(codes.busy)) return verb === "bootout" ? { kind: "fine" } : { kind: "again" };
  if (is(codes.noSession)) {
    return {
      kind: "failed",
      why: "nobody is logged in at the screen of this Mac, so that launchd starts no agent now; it does at the next login",
    };
  }
  if (is(codes.inputOutput) && verb === "bootstrap") {
    return {
      kind: "failed",
      why: `launchd does not load the agent (error 5); see why: launchctl print-disabled ${words[2]}; and run again: localhostess service uninstall; localhostess service install`,
    };
  }
  return { kind: "failed", why: `${shellCommand(words)}: ${text}` };
}
