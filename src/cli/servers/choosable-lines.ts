/** Repositories with several checkouts -> the lines and the JSON rows of `localhostess use`. Pure. */
import { dirname } from "node:path";
import { listed } from "../../text/list.ts";
import { shownFolder } from "../shared/rows.ts";
import { type Column, fitted, tableLines } from "../shared/table.ts";
import type { Colors } from "../shared/world.ts";
import type { Choosable } from "./choosable.ts";

export type LinesOptions = {
  columns: number | undefined;
  colors: Colors;
  home: string | undefined;
};

type Row = { mark: string; label: string; names: readonly string[]; root: string };

/** For each repository: what its names show, and its checkouts, with a mark before those that are shown. */
export function choosableLines(all: readonly Choosable[], options: LinesOptions): string[] {
  const { columns, colors, home } = options;
  return all.flatMap((its, index) => {
    const title = `${shownFolder(folderOf(its), home)}: ${stateText(its)}`;
    const rows = tableLines(rowsOf(its), columnsOf(home), { columns, colors });
    return [...(index === 0 ? [] : [""]), fitted(title, columns), ...rows];
  });
}

/** The folder of the main checkout, as most repositories have their `.git` in it. */
function folderOf({ repository }: Choosable): string {
  return repository.endsWith("/.git") ? dirname(repository) : repository;
}

function stateText({ choices }: Choosable): string {
  if (choices.length === 0) return "plain names show the main checkout";
  const said = choices.map(
    ({ label, of }) => `${of ?? "plain names"} show${of === undefined ? "" : "s"} ${label}`,
  );
  return `${said.join(", ")}; localhostess use -- ends it`;
}

function rowsOf({ origins, worktrees, choices }: Choosable): Row[] {
  const shown = (label: string | undefined) => origins.some((its) => its.shown === label);
  return [
    {
      mark: shown(undefined) || choices.length === 0 ? "*" : "",
      label: "--",
      names: origins.map((its) => its.name),
      root: "the main checkout",
    },
    ...worktrees.map(({ label, root }) => ({
      mark: shown(label) || choices.some((its) => its.label === label) ? "*" : "",
      label,
      names: origins.flatMap((its) => its.versions.get(label) ?? []),
      root,
    })),
  ];
}

function columnsOf(home: string | undefined): Column<Row>[] {
  return [
    { title: "", text: ({ mark }) => mark || " " },
    {
      title: "WORKTREE",
      text: ({ label }) => label,
      paint: (_, { bold }) => bold,
      cut: "end",
      most: 24,
    },
    {
      title: "NAMES",
      text: ({ names }) => listed(names, { most: 4 }) || "-",
      cut: "end",
      least: 20,
      most: 48,
    },
    { title: "FOLDER", text: ({ root }) => shownFolder(root, home), cut: "start", most: 40 },
  ];
}

export type ChoosableRow = {
  repository: string;
  names: readonly string[];
  shown: readonly { worktree: string; of: string | null; names: readonly string[] }[];
  worktrees: readonly {
    label: string;
    branch: string | null;
    root: string;
    names: readonly string[];
  }[];
};

export function choosableRow(its: Choosable): ChoosableRow {
  const { repository, origins, worktrees, choices } = its;
  return {
    repository,
    names: origins.map(({ name }) => name),
    shown: choices.map(({ label, of, names }) => ({ worktree: label, of: of ?? null, names })),
    worktrees: worktrees.map(({ label, branch, root }) => ({
      label,
      branch: branch ?? null,
      root,
      names: origins.flatMap(({ versions }) => versions.get(label) ?? []),
    })),
  };
}
