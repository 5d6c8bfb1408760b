/** `plans/` of the state directory -> the plans of plugins that a person has accepted, a file a project; and back. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { folderIdentity, isSameFolder } from "../system/folder-identity.ts";
import { formedText, onlyVersioned, writeFormed } from "../system/state-format.ts";
import { pastedWord } from "../text/shell-words.ts";
import { readFormedFile } from "./formed-file.ts";
import { planRecordPath, plansFolder } from "./plan-place.ts";
import { pluginName } from "./plugins-file.ts";

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const name = v.pipe(v.string(), v.maxLength(253));
const path = v.pipe(v.string(), v.minLength(1), v.maxLength(4096));

const recordedPlan = v.object({
  service: name,
  plugin: v.pipe(v.string(), v.regex(pluginName)),
  /** The hash of the component that has made it. */
  sha256: hash,
  from: v.picklist(["user", "project"]),
  /** The fingerprint of the service as it was written. */
  written: v.string(),
  /** The project's name, as the plugin was told it. */
  workspace: name,
  /** The capabilities that the plugin had when it made the plan. */
  granted: v.array(v.string()),
  capabilities: v.array(v.string()),
  /** As `planForm` has it. */
  plan: v.record(v.string(), v.unknown()),
  services: v.record(v.string(), v.record(v.string(), v.unknown())),
  ports: v.record(v.string(), port),
  images: v.array(v.string()),
});

const writtenFile = v.object({
  service: name,
  /** Relative to the project's folder. */
  path,
  /** SHA-256 of the text that we have written: the last one, and while it is being replaced the one before. */
  hashes: v.array(hash),
});

const planRecord = v.object({
  /** Absolute: the project's folder. */
  directory: v.pipe(path, v.startsWith("/")),
  /** The folder itself, by which it is known again where it was moved. */
  identity: v.string(),
  plans: v.array(recordedPlan),
  /** Plugins that were asked for services that have no plan. */
  asked: v.array(v.string()),
  /** By service: why it has no plan. */
  troubles: v.record(name, v.string()),
  files: v.array(writtenFile),
  /** Folders that were made for files, relative to the project's. */
  folders: v.array(path),
});

export type RecordedPlan = v.InferOutput<typeof recordedPlan>;
export type WrittenFile = v.InferOutput<typeof writtenFile>;
export type PlanRecord = v.InferOutput<typeof planRecord>;

export const plansFormat = onlyVersioned;

/** Bytes. Plans of services in use have a few KiB; 256 KiB of octets that are no text, in a list, take 7 MiB. */
const longest = 16 * 1024 * 1024;

export type ReadRecord =
  | { kind: "record"; record: PlanRecord }
  | { kind: "absent" }
  /** A sentence with what helps. */
  | { kind: "broken"; why: string };

export function noRecord(directory: string): PlanRecord {
  const identity = folderIdentity(directory);
  return { directory, identity, plans: [], asked: [], troubles: {}, files: [], folders: [] };
}

export function readPlanRecord(stateDirectory: string, directory: string): ReadRecord {
  const its = readRecordAt(planRecordPath(stateDirectory, directory));
  // Another folder's, by accident or by somebody's hand.
  if (its.kind === "record" && its.record.directory !== directory) return { kind: "absent" };
  return its;
}

/** The record of a folder that was moved here: its plans are made anew, and its files are known as ours. */
export function movedRecord(stateDirectory: string, directory: string): PlanRecord | undefined {
  const [moved] = movedTo(directory, stateDirectory);
  // A plan may name the folder that it was made for.
  const plans = moved?.plans.map((its) => ({ ...its, written: "" })) ?? [];
  return moved && { ...moved, directory, plans };
}

/** Once a folder that was moved has a record of its own. @throws Error of the file system. */
export function forgetMoved(stateDirectory: string, directory: string): void {
  for (const moved of movedTo(directory, stateDirectory)) {
    rmSync(planRecordPath(stateDirectory, moved.directory), { force: true });
  }
}

/** Records of folders that are gone from where they were, and are this one. */
function movedTo(directory: string, stateDirectory: string): PlanRecord[] {
  const identity = folderIdentity(directory);
  return allPlanRecords(stateDirectory).filter((its) => {
    return isSameFolder(its.identity, identity) && !existsSync(its.directory);
  });
}

function readRecordAt(path: string): ReadRecord {
  const its = readFormedFile(path, {
    ...{ schema: planRecord, format: plansFormat, longest, forbidden: 0o077 },
  });
  if (its.kind === "value") return { kind: "record", record: its.value };
  if (its.kind === "absent") return its;
  if (its.kind === "newer") return { kind: "broken", why: its.why };
  const help = `remove it and run localhostess up again: rm ${pastedWord(path)}`;
  return {
    kind: "broken",
    why: `the plans of plugins in ${path} cannot be used: ${its.why}; ${help}`,
  };
}

/** One without plans and files is removed. @throws as `writeFormed`. */
export async function writePlanRecord(stateDirectory: string, record: PlanRecord): Promise<void> {
  const at = planRecordPath(stateDirectory, record.directory);
  const { plans, files, folders, asked, troubles } = record;
  const lists = [plans, files, folders, asked, Object.keys(troubles)];
  if (lists.every((its) => its.length === 0)) {
    rmSync(at, { force: true });
    return;
  }
  if (formedText(record, plansFormat).length > longest) {
    throw new Error(
      `the plans of ${record.directory} are larger than ${longest / 1024 / 1024} MiB`,
    );
  }
  await writeFormed(record, { path: at, format: plansFormat });
}

/** Those that can be read, in the order of their files. */
export function allPlanRecords(stateDirectory: string): PlanRecord[] {
  return readAll(stateDirectory).flatMap((its) => (its.kind === "record" ? [its.record] : []));
}

/** Sentences about those that cannot. */
export function brokenRecords(stateDirectory: string): string[] {
  return readAll(stateDirectory).flatMap((its) => (its.kind === "broken" ? [its.why] : []));
}

function readAll(stateDirectory: string): ReadRecord[] {
  const folder = plansFolder(stateDirectory);
  return namesIn(folder).map((file) => readRecordAt(join(folder, file)));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => /^[0-9a-f]{16}\.json$/.test(file))
      .sort();
  } catch {
    // No project has a plan yet.
    return [];
  }
}
