/** `localhostess init` -> a commented locald.toml, from the files in the folder and the person's answers. */
import { lstat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import type { Found } from "../../manifest/new-manifest.ts";
import { newManifest } from "../../manifest/new-manifest.ts";
import { addressMistake, projectNameMistake } from "../../manifest/project-name.ts";
import { writeAtomically } from "../../system/atomic-file.ts";
import { localFile } from "../../manifest/layer.ts";
import { ignoreLocal } from "./ignore-local.ts";
import { composedIn } from "./composed-services.ts";
import { foundServices } from "./found-services.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { projectIn } from "../shared/project-files.ts";
import type { World } from "../shared/world.ts";

/** The mode of a new file, before the umask: a project's files are for everyone who works on it. */
const newMode = 0o644;

export type InitFlags = {
  yes?: boolean;
  force?: boolean;
  json?: boolean;
  /** False: a compose file is not read. */
  compose?: boolean;
};

export async function init(
  { yes = false, force = false, json = false, compose = true }: InitFlags,
  world: World,
): Promise<number> {
  const path = join(world.cwd, "locald.toml");
  const before = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
  if (before !== undefined && !force) {
    throw new Failure(
      "exists",
      "locald.toml exists already; localhostess add adds a service to it, --force overwrites it",
    );
  }
  let found = await foundIn(world, { compose });
  if (found === undefined) return 1;
  if (!yes) {
    const answered = await asked(found, world);
    if (answered === undefined) {
      if (world.json !== undefined) world.json.code = "declined";
      tell("nothing was written", world);
      return 1;
    }
    found = answered;
  }
  const text = newManifest(found);
  if (before !== undefined) {
    if (before.isDirectory())
      throw new Failure("exists", "locald.toml is a folder; remove it first");
    // Replaces the path itself: a link may lead to any file, or to a device.
    await writeAtomically(path, text, { mode: before.isFile() ? before.mode & 0o777 : newMode });
  } else {
    // Another program may have created the file in the meantime.
    await writeFile(path, text, { flag: "wx" });
  }
  const ignored = await ignoreLocal(world.cwd).catch((error: Error) => ({
    ...{ kind: "left" as const, why: error.message },
  }));
  if (ignored.kind === "added") tell(`added ${localFile} to .gitignore`, world);
  if (ignored.kind === "left") tell(`${localFile} is not in .gitignore: ${ignored.why}`, world);
  const all = [...found.services, ...containersOf(found)];
  const names = all.map(({ name }) => name);
  tell(`created locald.toml${names.length === 0 ? "" : ` with ${listed(names)}`}`, world);
  const read = await projectIn(world.cwd, world);
  if (names.length === 0) {
    tell("it declares no services yet; add one with: localhostess add web -- <command>", world);
  } else if (read.kind === "mistakes") {
    for (const mistake of read.mistakes) tell(mistake, world);
  } else {
    tell("start it with: localhostess up", world);
  }
  if (json) {
    printJson(world, { path, project: found.name, services: all });
  }
  return 0;
}

/** Undefined: the compose file has errors, which have been said. */
async function foundIn(
  world: World,
  { compose }: { compose: boolean },
): Promise<Found | undefined> {
  const { own, ...found } = await foundServices(world.cwd);
  const taken = found.services.map(({ name }) => name);
  const here = compose ? await composedIn(world.cwd, { taken, world }) : undefined;
  if (here === undefined) return { ...found, composed: undefined };
  const { files, composed } = here;
  if (composed.kind === "mistakes") {
    for (const mistake of composed.mistakes) tell(mistake, world);
    tell("nothing was written; without the compose file: localhostess init --no-compose", world);
    if (world.json !== undefined) world.json.code = "invalid_project";
    return undefined;
  }
  const { name, services, comments } = composed;
  return { ...found, name: own ?? name ?? found.name, composed: { files, services, comments } };
}

function containersOf({ composed }: Found) {
  return (composed?.services ?? []).map(({ name, from }) => ({
    ...{ name, type: "container" as const, command: null, from },
  }));
}

/** Undefined: declined. Without a terminal, everything is as found. */
async function asked(found: Found, world: World): Promise<Found | undefined> {
  const name = await named(found.name, world);
  let services = found.services;
  const containers = found.composed?.services ?? [];
  if (services.length === 0 && containers.length === 0) {
    const command = (
      await world.prompt("Command that starts the server (empty: add it later): ")
    )?.trim();
    if (command) services = [{ name: "web", type: "exec", command, from: "the command line" }];
  }
  for (const { name: its, command, from } of services) {
    tell(`  ${its}: ${command} (${from})`, world);
  }
  for (const { name: its, image, from } of containers) {
    tell(`  ${its}: ${image === undefined ? "a container that is built" : image} (${from})`, world);
  }
  const answer = await world.prompt("Write locald.toml? [Y/n] ");
  if (answer !== undefined && /^\s*n/i.test(answer)) return undefined;
  return { ...found, name, services };
}

async function named(offered: string, world: World): Promise<string> {
  for (;;) {
    const answer = (await world.prompt(`Project name [${offered}]: `))?.trim();
    if (!answer) return offered;
    const wrong = projectNameMistake(answer) ?? addressMistake(answer);
    if (wrong === undefined) return answer;
    tell(wrong, world);
  }
}

function tell(text: string, { err }: World): void {
  err.write(`${printable(text, 2000)}\n`);
}
