/** The service as a unit of the user's own systemd -> its files, the calls of systemctl, and what those answer. */
import { dirname, join } from "node:path";
import { environmentText } from "../../boot/environment.ts";
import { packagedUnits, unitPaths } from "../../boot/places.ts";
import { unitName, unitText } from "../../boot/unit-text.ts";
import type { CommandResult } from "../../system/command.ts";
import { readText } from "../../system/read-text.ts";
import { havingOf, type Wanted, writing } from "./owned-file.ts";
import { Failure } from "../shared/failure.ts";
import { shellCommand } from "../../text/shell-words.ts";
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

const systemctl = (...words: string[]): Words => ["systemctl", "--user", ...words];

/** Bytes of a unit. */
const longest = 64 * 1024;

type Shown = Readonly<Record<string, string>>;

export function bySystemd(place: ServicePlace): ServiceWay {
  const paths = unitPaths(place.world);
  const unit: Wanted = { path: paths.unit, text: unitText({ program: place.program.path }) };
  const environment: Wanted = {
    path: paths.environment,
    text: environmentText(place.environment),
  };

  /** The unit of the package that this program has come with. */
  async function packaged(): Promise<string | undefined> {
    for (const path of packagedUnits) {
      const read = await readText(join(place.root, path), { longest, lossy: true });
      if (read.kind !== "text") continue;
      return read.text.includes(`\nExecStart=${place.program.path} `) ? path : undefined;
    }
    return undefined;
  }

  /** @throws Failure where the manager does not answer. */
  async function shown(): Promise<Shown> {
    const words = systemctl(
      ...["show", unitName, "-p"],
      "LoadState,ActiveState,SubState,UnitFileState,MainPID,FragmentPath,Result,NeedDaemonReload",
    );
    const result = await place.run(words);
    if (result.kind !== "done" || result.code !== 0) {
      const its = verdict(words, result);
      throw new Failure("failed", its.kind === "failed" ? its.why : resultText(result));
    }
    return Object.fromEntries(
      result.stdout
        .trim()
        .split("\n")
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
  }

  /** Undefined where logind does not tell. */
  async function lingers(): Promise<boolean | undefined> {
    const result = await place.run([
      "loginctl",
      "show-user",
      place.user,
      "-p",
      "Linger",
      "--value",
    ]);
    if (result.kind !== "done" || result.code !== 0) return undefined;
    return result.stdout.trim() === "yes";
  }

  /** The removal of those that are there. @throws Failure where somebody has changed one. */
  async function files(): Promise<Step[]> {
    const steps: Step[] = [];
    for (const wanted of [unit, environment]) {
      const having = await havingOf(wanted);
      if (having.kind === "absent") continue;
      if (having.kind === "edited" && !place.force) {
        throw new Failure(
          "exists",
          `${wanted.path} was changed by somebody; to remove it all the same: localhostess service uninstall --force`,
        );
      }
      steps.push({ do: "remove", path: wanted.path });
    }
    return steps;
  }

  return {
    files: [
      ...[unit.path, environment.path],
      join(dirname(unit.path), "default.target.wants", unitName),
    ],
    async install(): Promise<Plan> {
      const its = await shown();
      const theirs = await packaged();
      const instead = `keep your changes in a file beside it: systemctl --user edit ${unitName}`;
      const how = { force: place.force, instead };
      const steps: Step[] = [];
      if (theirs === undefined) steps.push(...(await writing(unit, how)));
      else if ((await havingOf(unit)).kind !== "absent") {
        // Ours would stand before the package's, and stay as it is when that changes.
        await writing(unit, how);
        steps.push({ do: "remove", path: unit.path });
      }
      steps.push(...(await writing(environment, how)));
      if (steps.length > 0 || its.NeedDaemonReload === "yes") {
        steps.push({ do: "run", words: systemctl("daemon-reload") });
      }
      if (its.UnitFileState !== "enabled" || its.ActiveState !== "active") {
        steps.push({ do: "run", words: systemctl("enable", "--now", unitName) });
      } else if (steps.length > 0) {
        steps.push({ do: "run", words: systemctl("reload", unitName) });
      }
      const early = await lingers();
      if (place.linger && early !== true) {
        steps.push({ do: "run", words: ["loginctl", "enable-linger", place.user] });
      }
      return { steps, notes: early === true || place.linger ? [] : [lateText] };
    },

    async uninstall(): Promise<Plan> {
      if (place.withoutManager) {
        const link: Step = { do: "remove", path: paths.wanted };
        return { steps: [...(await files()), link], notes: [] };
      }
      const its = await shown();
      const steps: Step[] = [];
      if (its.LoadState !== "not-found" && its.LoadState !== "masked") {
        steps.push({ do: "run", words: systemctl("disable", "--now", unitName) });
      }
      const removed = await files();
      steps.push(...removed);
      if (removed.length > 0) steps.push({ do: "run", words: systemctl("daemon-reload") });
      const early = await lingers();
      return { steps, notes: early === true && steps.length > 0 ? [lingersText] : [] };
    },

    async standing(): Promise<Standing> {
      let its: Shown;
      const own = await havingOf(unit);
      const theirs = own.kind === "absent" ? await packaged() : undefined;
      const file = own.kind === "absent" ? (theirs ?? null) : unit.path;
      const current = theirs !== undefined || own.kind === "current";
      const edited = own.kind === "edited";
      try {
        its = await shown();
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        const problems = [error.message];
        return { installed: false, file, edited, current, pid: null, at_boot: null, problems };
      }
      const pid = Number(its.MainPID) || null;
      return {
        installed: its.UnitFileState === "enabled",
        file,
        edited,
        current: current && (await havingOf(environment)).kind !== "edited",
        pid: its.ActiveState === "active" || its.ActiveState === "reloading" ? pid : null,
        at_boot: (await lingers()) ?? null,
        problems: problemsOf(its),
      };
    },

    verdict,
  };
}

const lateText =
  "the daemon begins when you log in; to have it from the start of the machine: loginctl enable-linger";
const lingersText =
  "other services of yours may need it that you linger; if none does: loginctl disable-linger";

function problemsOf({ LoadState, ActiveState, Result }: Shown): string[] {
  if (LoadState === "masked") return [maskedText];
  return [
    ...(ActiveState === "failed"
      ? [`the daemon has failed (${Result}); see why: journalctl --user -u ${unitName}`]
      : []),
  ];
}

const maskedText = `${unitName} is masked, so that nobody can start it; to allow it: systemctl --user unmask ${unitName}`;

function verdict(words: Words, result: CommandResult): Verdict {
  const text = resultText(result);
  const failed = (why: string): Verdict => ({ kind: "failed", why });
  if (/failed to connect to (?:\S+ scope )?bus|no medium found/i.test(text)) {
    return failed(
      "the systemd of this user does not answer: log in as this user, and not by su or sudo; or, where it runs: export XDG_RUNTIME_DIR=/run/user/$(id -u)",
    );
  }
  if (/\bmasked\b/i.test(text)) return failed(maskedText);
  if (words[0] === "loginctl") {
    return failed(
      `${shellCommand(words)}: ${text}; an administrator may: sudo ${shellCommand(words)}`,
    );
  }
  // A unit that was never there needs no end.
  if (words.includes("disable") && /does not exist|not loaded/i.test(text)) return { kind: "fine" };
  const see = /enable|start|reload$/.test(words[2] ?? "")
    ? `; see why: journalctl --user -u ${unitName}`
    : "";
  return failed(`${shellCommand(words)}: ${text}${see}`);
}
