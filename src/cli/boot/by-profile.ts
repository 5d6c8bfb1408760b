/** The service without a manager -> a block in the profile of the login shell, which starts the daemon. */
import { lstatSync, realpathSync, statSync } from "node:fs";
import { basename, isAbsolute, join } from "node:path";
import { profileBlock, profileOf, type Shell, withBlock } from "../../boot/profile-block.ts";
import { readText } from "../../system/read-text.ts";
import { Failure } from "../shared/failure.ts";
import type { Plan, ServicePlace, ServiceWay, Standing, Step } from "./plan.ts";
import { resultText } from "./plan.ts";

/** Bytes of a profile. */
const longest = 1024 * 1024;

export function byProfile(place: ServicePlace): ServiceWay {
  const { path, shell } = profileFor(place);
  const block = profileBlock(place.program.path, shell);

  async function text(): Promise<string> {
    const read = await readText(path, { longest });
    if (read.kind === "unreadable") throw new Failure("failed", `${path}: ${read.why}`);
    return read.kind === "text" ? read.text : "";
  }

  async function changing(wanted: string): Promise<Step[]> {
    const before = await text();
    const after = withBlock(before, wanted);
    if (after === undefined) {
      throw new Failure(
        "exists",
        `${path}: the lines "# BEGIN localhostess service" and "# END localhostess service" are not a pair; remove them, and run the command again`,
      );
    }
    if (after === before) return [];
    // Nobody else has written into it.
    if (after === "") return [{ do: "remove", path: realPlace(path) }];
    // A profile may be a link into a folder of such files.
    const mode = statSync(path, { throwIfNoEntry: false })?.mode;
    return [{ do: "write", path: realPlace(path), text: after, mode: mode && mode & 0o7777 }];
  }

  return {
    // The profile is the person's own.
    files: [],
    async install(): Promise<Plan> {
      return {
        steps: [
          ...(await changing(block)),
          { do: "run", words: [place.program.path, "server", "start", "--detach"] },
        ],
        notes: [],
      };
    },
    async uninstall(): Promise<Plan> {
      const steps = await changing("");
      const notes = ["the daemon goes on until it is stopped: localhostess server stop"];
      return { steps, notes: steps.length === 0 ? [] : notes };
    },
    async standing(): Promise<Standing> {
      const its = profileOf(await text());
      const isThere = its.kind === "block";
      return {
        installed: isThere,
        file: isThere ? path : null,
        edited: false,
        current: isThere && its.block === block,
        pid: null,
        at_boot: false,
        problems: its.kind === "torn" ? [`${path}: the lines of our block are not a pair`] : [],
      };
    },
    verdict: (words, result) => ({ kind: "failed", why: `${words[0]}: ${resultText(result)}` }),
  };
}

/** The file that the login shell reads first, and no other shell of the person's. */
function profileFor({ world: { env, home } }: ServicePlace): { path: string; shell: Shell } {
  const shell = basename(env.SHELL ?? "");
  if (shell === "zsh") {
    const folder = env.ZDOTDIR && isAbsolute(env.ZDOTDIR) ? env.ZDOTDIR : home;
    return { path: join(folder, ".zprofile"), shell: "posix" };
  }
  if (shell === "fish") {
    const base = env.XDG_CONFIG_HOME;
    const folder = base && isAbsolute(base) ? base : join(home, ".config");
    return { path: join(folder, "fish", "conf.d", "localhostess.fish"), shell: "fish" };
  }
  // bash reads the first of those that are there, and no other.
  const names = shell === "bash" ? [".bash_profile", ".bash_login"] : [];
  const found = names.find((name) => isThere(join(home, name)));
  return { path: join(home, found ?? ".profile"), shell: "posix" };
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function realPlace(path: string): string {
  return isThere(path) ? realpathSync(path) : path;
}
