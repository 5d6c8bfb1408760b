/** A build that is a command -> run where what it is made from has changed since it last succeeded. */
import { createHash } from "node:crypto";
import { join, relative } from "node:path";
import * as v from "valibot";
import { buildVariables } from "../manifest/order.ts";
import type { CommandBuild } from "../manifest/types/build.ts";
import { readPrivateFile } from "../system/private-file.ts";
import { replacePrivateText } from "../system/private-text.ts";
import { shellProgram } from "../system/shell-program.ts";
import { endOrphans } from "../system/end-orphans.ts";
import { runScript } from "./buildpacks/run-script.ts";
import { inputsFingerprint } from "./inputs-fingerprint.ts";

export type CommandBuildRequest = {
  build: CommandBuild;
  /** Absolute: the project's folder. */
  directory: string;
  shell: readonly string[];
  workdir: string;
  /** Absolute, 0700: the service's own. */
  place: string;
  /** All of it. */
  env: Readonly<Record<string, string>>;
  /** Names of the variables in it that the file declares: a change of one is a change of the build. */
  variables: readonly string[];
  /** As if nothing had been built before. */
  clean: boolean;
  /** The build that succeeded last is what is wanted, whatever has changed since. */
  isBuilt: boolean;
  /** Milliseconds since the Unix epoch: when this build was asked for. One that began later is as good. */
  asked: number;
};

export type CommandBuildEffects = {
  /** The command begins. */
  begin(): void;
  /** A line that it has written. */
  write(line: string): void;
  /** Ends it: everything that it has started is ended with it. */
  signal: AbortSignal;
  /** Milliseconds since the Unix epoch. */
  now(): number;
};

export type CommandBuilt =
  /** `ran`: false where nothing had changed. */
  | { kind: "built"; ran: boolean }
  /** `why`: a sentence that begins with `its build`. The last build that succeeded is not forgotten. */
  | { kind: "failed"; why: string }
  | { kind: "ended" };

const record = v.object({
  version: v.literal(1),
  key: v.string(),
  began: v.number(),
});

/** The build that succeeded last. */
type Made = v.InferOutput<typeof record>;

/** Milliseconds in which a command that is ended may tidy up. */
const grace = 3000;

/** Bytes. */
const longestRecord = 1024;

/** The caller sees to it that one runs at a time in a place. */
export async function buildByCommand(
  request: CommandBuildRequest,
  effects: CommandBuildEffects,
): Promise<CommandBuilt> {
  const { build, place, shell, env, workdir } = request;
  const path = join(place, "command.json");
  const last = request.clean ? undefined : recordIn(path);
  if (last !== undefined && request.isBuilt) return { kind: "built", ran: false };
  // Before the command runs: a file that changes meanwhile is a change.
  const key = await keyOf(request);
  const began = effects.now();
  if (last !== undefined && isCurrent(last, { key, request })) return { kind: "built", ran: false };
  const program = shellProgram({ shell, env, workdir });
  if (program.kind === "none") return { kind: "failed", why: program.why };
  // A program that was killed while its command ran has left that at work.
  await endOrphans({ variable: buildVariables.place, begins: `${place}/` });
  effects.begin();
  const end = await runScript(
    {
      ...{ path: program.path, args: [...shell.slice(1), build.command] },
      ...{
        cwd: workdir,
        env: { ...env, [buildVariables.place]: `${place}/` },
        limit: undefined,
        grace,
      },
    },
    { line: effects.write, signal: effects.signal },
  );
  switch (end.kind) {
    case "ended": {
      if (end.code !== 0) return { kind: "failed", why: failure(build, `exit code ${end.code}`) };
      const made: Made = { version: 1, key, began };
      replacePrivateText(path, `${JSON.stringify(made)}\n`);
      return { kind: "built", ran: true };
    }
    case "killed":
      return { kind: "failed", why: failure(build, end.signal) };
    case "unstartable":
      return { kind: "failed", why: `its build cannot be run: ${end.why}` };
    case "late":
    case "aborted":
      return { kind: "ended" };
  }
}

function failure(build: CommandBuild, how: string): string {
  return `its build failed (${how}): ${commandText(build)}`;
}

/** For people. */
export function commandText({ command, written = command }: CommandBuild): string {
  return written;
}

function isCurrent(
  last: Made,
  { key, request }: { key: string; request: CommandBuildRequest },
): boolean {
  if (last.key !== key) return false;
  return request.build.inputs.length > 0 || last.began >= request.asked;
}

/** Made of all that decides what is built. The folder of the project does not: moved, it is the same. */
async function keyOf(request: CommandBuildRequest): Promise<string> {
  const { build, directory, shell, workdir, env, variables } = request;
  const { command, inputs } = build;
  const declared = variables
    .map((name) => [name, env[name]])
    .sort(([a], [b]) => (a! < b! ? -1 : 1));
  const from = relative(directory, workdir);
  const content = await inputsFingerprint(inputs, workdir);
  return createHash("sha256")
    .update(JSON.stringify({ command, inputs, shell, from, declared, content }))
    .digest("hex");
}

/** Undefined where nothing was built yet, or another version of this program has written it. */
function recordIn(path: string): Made | undefined {
  const read = readPrivateFile(path, { limit: longestRecord, forbidden: 0o077 });
  if (read.kind !== "text") return undefined;
  try {
    const parsed = v.safeParse(record, JSON.parse(read.text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    // Cut in half: it is built again.
    return undefined;
  }
}
