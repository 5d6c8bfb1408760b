/** Plans -> their files in the project, and the record of both; and away again. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { foldedPath } from "../../plugins/file-path.ts";
import type { Plugin } from "../../plugins/installed.ts";
import { plansFolder } from "../../plugins/plan-place.ts";
import {
  allPlanRecords,
  brokenRecords,
  forgetMoved,
  type PlanRecord,
  type RecordedPlan,
  writePlanRecord,
} from "../../plugins/plan-records.ts";
import {
  type FileNews,
  putFiles,
  type WantedFile,
  type Written,
} from "../../plugins/planned-files.ts";
import { folderIdentity } from "../../system/folder-identity.ts";
import { changeAlone } from "../../system/shared-file.ts";
import { listed } from "../../text/list.ts";
import { Failure } from "./failure.ts";
import type { Current } from "./fresh-plan.ts";
import { type PlanEffects, type PlannedOptions, tell } from "./plan-options.ts";

/** Two plans cannot have one file. @throws a Failure */
export function refuseSharedFiles(current: readonly Current[], { files }: PlanRecord): void {
  const owners = new Map<string, string>();
  const pathsOf = ({ plan, applied }: Current): readonly string[] =>
    applied?.files.map(({ path }) => path) ??
    files.filter((its) => its.service === plan.service).map(({ path }) => path);
  for (const its of current) {
    for (const path of pathsOf(its)) {
      const other = owners.get(foldedPath(path));
      if (other !== undefined) {
        const what = `the plans for ${other} and ${its.plan.service} both write ${path}`;
        throw new Failure("invalid_project", `${what}; nothing was started`);
      }
      owners.set(foldedPath(path), its.plan.service);
    }
  }
}

/** Writes the files, and the record around that: a kill in the midst loses track of nothing. */
export async function putPlans(
  current: readonly Current[],
  {
    record,
    asked,
    troubles,
    directory,
    effects,
  }: Pick<PlannedOptions, "directory" | "effects"> & {
    record: PlanRecord;
    asked: readonly string[];
    troubles: Record<string, string>;
  },
): Promise<FileNews> {
  const plans = current.map(({ plan }) => plan);
  const standing = new Set(
    current.flatMap(({ plan, applied }) => (applied === undefined ? [plan.service] : [])),
  );
  const isKept = ({ service }: { service: string }): boolean => standing.has(service);
  const keptFiles = record.files.filter(isKept);
  const wanted = current.flatMap(({ plan, applied }): WantedFile[] =>
    (applied?.files ?? []).map((its) => ({ ...its, service: plan.service })),
  );
  const write = async ({ files, folders }: Written) => {
    const next = {
      ...{ directory, identity: folderIdentity(directory), plans },
      ...{ asked: [...asked], troubles },
      ...{ files: [...keptFiles, ...files], folders: [...folders] },
    };
    await writePlanRecord(effects.stateDirectory, next);
  };
  const files = record.files.filter((its) => !isKept(its));
  const { folders } = record;
  const others = (its: Pick<PlanRecord, "asked" | "troubles">): string =>
    JSON.stringify([its.asked, its.troubles]);
  const isAlike = others({ asked: [...asked], troubles }) === others(record);
  const isSame = wanted.length + files.length === 0 && isAlike;
  if (
    isSame &&
    plans.length === record.plans.length &&
    plans.every((its) => record.plans.includes(its))
  ) {
    return { written: [], removed: [], left: [] };
  }
  await write({ files, folders });
  forgetMoved(effects.stateDirectory, directory);
  return await putFiles(wanted, {
    directory,
    standing: keptFiles.map(({ path }) => path),
    before: { files, folders },
    record: write,
  });
}

/** Milliseconds. Whoever is at it reads the project, and writes its files to the disk. */
const patience = 10_000;

/** One process at a time chooses ports, and writes plans and their files. @throws a Failure */
export async function alone<Result>(
  { stateDirectory }: Pick<PlanEffects, "stateDirectory">,
  change: () => Promise<Result>,
): Promise<Result> {
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  const done = await changeAlone({ path: plansFolder(stateDirectory), patience }, change);
  if (done.kind === "changed") return done.result;
  throw new Failure("failed", "another localhostess is changing the plans of plugins; try again");
}

/** `plugin`: a project's is not the person's own of that name. */
type Which = {
  directory?: string | undefined;
  plugin?: Pick<Plugin, "name" | "from"> | undefined;
};

/** Services that plugins have made are not made any more: for `plugin remove`, and for a project that is forgotten. */
export async function removePlans(stateDirectory: string, which: Which): Promise<FileNews> {
  if (!existsSync(plansFolder(stateDirectory))) return { written: [], removed: [], left: [] };
  return await alone({ stateDirectory }, async () => await withoutPlans(stateDirectory, which));
}

async function withoutPlans(
  stateDirectory: string,
  { directory, plugin }: Which,
): Promise<FileNews> {
  // Files that such a record is about stay.
  const left = directory === undefined ? brokenRecords(stateDirectory) : [];
  let news: FileNews = { written: [], removed: [], left };
  for (const record of allPlanRecords(stateDirectory)) {
    if (directory !== undefined && record.directory !== directory) continue;
    const goes = (its: RecordedPlan): boolean =>
      plugin === undefined || (its.plugin === plugin.name && its.from === plugin.from);
    const plans = record.plans.filter((its) => !goes(its));
    if (plans.length === record.plans.length && plugin !== undefined) continue;
    const stays = ({ service }: { service: string }): boolean =>
      plans.some((its) => its.service === service);
    const kept = record.files.filter(stays);
    const asked = plugin === undefined ? [] : record.asked.filter((its) => its !== plugin.name);
    const write = async ({ files, folders }: Written) => {
      const written = { files: [...kept, ...files], folders: [...folders] };
      const troubles = plugin === undefined ? {} : record.troubles;
      await writePlanRecord(stateDirectory, { ...record, plans, asked, troubles, ...written });
    };
    const { folders } = record;
    const before = { files: record.files.filter((its) => !stays(its)), folders };
    await write(before);
    const standing = kept.map(({ path }) => path);
    const next = await putFiles([], {
      ...{ directory: record.directory, standing, before },
      record: write,
    });
    const at = (path: string): string => join(record.directory, path);
    news = {
      written: [],
      removed: [...news.removed, ...next.removed.map(at)],
      left: [...news.left, ...next.left.map((text) => `${record.directory}: ${text}`)],
    };
  }
  return news;
}

export function tellFiles(
  { written, removed, left }: FileNews,
  world: PlannedOptions["world"],
): void {
  if (written.length > 0) tell(`wrote ${listed(written, { most: 10 })}`, world);
  if (removed.length > 0) tell(`removed ${listed(removed, { most: 10 })}`, world);
  for (const text of left) tell(text, world);
}
