/** `localhostess add <name> -- <command>` -> a locald.toml with one more service, and no other line changed. */
import { realpath, stat, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { printable } from "../../text/printable.ts";
import { serviceText, withService } from "../../manifest/edit.ts";
import { procfileIn } from "./found-services.ts";
import { projectNameFrom } from "../../manifest/project-name.ts";
import { tomlString } from "../../manifest/write-toml.ts";
import { writeAtomically } from "../../system/atomic-file.ts";
import { readText } from "../../system/read-text.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { projectFolderOf, projectIn } from "../shared/project-files.ts";
import { UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { type AddFlags, type Added, newService } from "./new-service.ts";

/** Bytes, the same limit as for every reader of the file. */
const longest = 1024 * 1024;

export async function add(added: Added, flags: AddFlags, world: World): Promise<number> {
  const meant = newService(added, flags);
  if (meant.kind === "mistakes") throw new UsageError(meant.mistakes);
  const { service } = meant;
  const { name } = service;

  const directory = await projectFolderOf(undefined, world);
  const path = join(directory, "locald.toml");
  const file = relative(world.cwd, path);
  const old = await readText(path, { longest });
  if (old.kind === "unreadable") throw new Error(`${file} cannot be read: ${old.why}`);
  if (old.kind === "missing" && (await procfileIn(directory)) !== undefined) {
    throw new Failure(
      "exists",
      "this project has a Procfile, which a locald.toml would replace; localhostess init creates one with the services of both",
    );
  }
  const text = old.kind === "text" ? old.text : newFile(directory);
  const edit = withService(text, service);
  if (edit.kind === "taken") {
    throw new Failure(
      "exists",
      `the service ${name} exists already at ${file}:${edit.line}; edit it there, or choose another name`,
    );
  }
  if (edit.kind === "mistake") {
    if (world.json !== undefined) world.json.code = "invalid_project";
    tell([`${file}: ${edit.why}; fix it, or add this yourself:`, ""], world);
    tell(serviceText(service).trimEnd().split("\n"), world);
    return 1;
  }
  // Old errors are no reason to refuse, as long as the service adds none.
  const [before, after] = await Promise.all([
    mistakesIn(directory, { world, text }),
    mistakesIn(directory, { world, text: edit.text }),
  ]);
  const more = after.filter((its) => !before.includes(its));
  if (more.length > 0) {
    tell([...more, "nothing was written"], world);
    if (world.json !== undefined) world.json.code = "invalid_project";
    return 1;
  }

  if (old.kind === "missing") {
    // Another program may have created the file in the meantime.
    await writeFile(path, edit.text, { flag: "wx" });
  } else {
    // Follows a link, and keeps the mode of the file.
    const real = await realpath(path);
    await writeAtomically(real, edit.text, { mode: (await stat(real)).mode & 0o777 });
  }
  tell([`added ${name} at ${file}:${edit.line}`], world);
  if (after.length > 0)
    tell(["the configuration has other errors; list them with: localhostess config check"], world);
  if (flags.json === true) {
    const { command = null, image = null, port = null, version = null, build = null } = service;
    const its = { name, type: service.type, command, image, path: service.path ?? null };
    printJson(world, { path, line: edit.line, service: { ...its, version, build, port } });
  }
  return 0;
}

function tell(lines: readonly string[], { err }: World): void {
  for (const line of lines) err.write(`${printable(line, 2000)}\n`);
}

function newFile(directory: string): string {
  return `[project]\nname = ${tomlString(projectNameFrom(basename(directory)))}\n`;
}

async function mistakesIn(
  directory: string,
  { world, text }: { world: World; text: string },
): Promise<readonly string[]> {
  const read = await projectIn(directory, world, { instead: text });
  return read.kind === "mistakes" ? read.mistakes : [];
}
