/** Services, and servers without a name -> lines for a terminal: aligned, and cut to its width. Pure. */
import { byCheckout } from "../../routes/by-checkout.ts";
import { holderText } from "../../routes/holder-text.ts";
import type { NameSource, Service } from "../../routes/service.ts";
import { serviceUrl } from "../../routes/service-row.ts";
import { namingCommand, type Unusable, unusableText } from "../../routes/unusable.ts";
import { counted } from "../../text/counted.ts";
import { foldedCommand, shortCommand } from "../../text/short-command.ts";
import { remarkLines } from "./remark.ts";
import { type Column, fitted, tableLines } from "./table.ts";
import type { Colors } from "./world.ts";

export type RowOptions = {
  /** The proxy's port, in http URLs. */
  port: number;
  /** Undefined: lines may be of any length. */
  columns: number | undefined;
  colors: Colors;
  /** Names every port and process of a service. */
  verbose?: boolean;
  /** The person's own folder, shown as `~`; undefined: folders are shown in full. */
  home?: string | undefined;
};

/** `~/api` for a folder below the person's own. */
export function shownFolder(folder: string | undefined, home: string | undefined): string {
  if (folder === undefined) return "-";
  if (home === undefined || home === "/") return folder;
  return folder === home || folder.startsWith(`${home}/`)
    ? `~${folder.slice(home.length)}`
    : folder;
}

/** Names that are from a variable of the server's own need no words. */
const usualSources: readonly NameSource[] = ["NAME", "LOCALHOSTESS_NAME"];

/** `below`: rows of linked worktrees, which stand below those of the main checkout. */
type ColumnOptions = ServiceOptions & { below: ReadonlySet<Service> };

function columnsOf(
  services: readonly Service[],
  { port, home, verbose = false, header = false, below }: ColumnOptions,
): Column<Service>[] {
  // `:3000 +2` keeps the row short.
  const more = (others: readonly number[], mark: string) => {
    if (others.length === 0) return "";
    return verbose ? others.map((other) => ` ${mark}${other}`).join("") : ` +${others.length}`;
  };
  return [
    {
      title: "NAME",
      text: (its) => `${below.has(its) ? "  " : ""}${its.name}`,
      paint: ({ routable }, colors) => (routable ? colors.bold : colors.yellow),
      cut: "end",
      most: 24,
    },
    {
      title: "URL",
      text: ({ name, routable }) => (routable ? serviceUrl(name, port) : "(no address)"),
      paint: ({ routable }, colors) => (routable ? colors.cyan : colors.yellow),
      below: ({ routable }) => routable,
      most: 48,
    },
    ...(services.every(({ source }) => usualSources.includes(source)) ? [] : [from]),
    {
      title: "PORT",
      text: ({ endpoint, ports }) =>
        `${endpoint.port === 0 ? "socket" : `:${endpoint.port}`}${more(
          ports.filter((other) => other !== endpoint.port),
          ":",
        )}`,
      most: 12,
      goes: 2,
    },
    {
      title: "PID",
      text: ({ process, pids }) =>
        process === undefined
          ? "-"
          : `${header ? "" : "pid "}${process.pid}${more(
              pids.filter((other) => other !== process.pid),
              "",
            )}`,
      paint: (_, colors) => colors.dim,
      most: 10,
      goes: 1,
    },
    {
      title: "FOLDER",
      text: ({ cwd }) => shownFolder(cwd, home),
      cut: "start",
      most: 40,
    },
    {
      title: "COMMAND",
      text: ({ process, command, cwd }) =>
        process === undefined ? command : shortCommand(command, cwd),
      paint: (_, colors) => colors.dim,
      cut: "end",
      least: 10,
      goes: 3,
    },
  ];
}

const from: Column<Service> = {
  title: "FROM",
  text: ({ source }) => (usualSources.includes(source) ? "" : source),
  paint: (_, colors) => colors.dim,
  goes: 4,
};

export type ServiceOptions = RowOptions & {
  /** False: rows only, which say what a number is. */
  header?: boolean;
};

/** One line each, without line ends, and one more for an address that finds no room in its row. */
export function serviceLines(services: readonly Service[], options: ServiceOptions): string[] {
  const { columns, colors, header = false } = options;
  const placed = byCheckout(services);
  const rows = placed.map(({ row }) => row);
  const below = new Set(placed.filter((its) => its.below).map(({ row }) => row));
  return tableLines(rows, columnsOf(rows, { ...options, below }), { columns, colors, header });
}

/** Columns of a terminal: of a command that stands in its row, and of what stands before it. */
const leastCommand = 20;
const besides = 40;

/** Servers that no name leads to, each with the command that gives it one. */
export function namelessLines(all: readonly Unusable[], options: RowOptions): string[] {
  const { columns, colors, home } = options;
  const nameless = all.filter(({ fault }) => fault.kind !== "bad name");
  if (nameless.length === 0) return [];
  const count = counted(nameless.length, "server");
  const title = `${count} without a name:`;
  const rows = tableLines(
    nameless,
    [
      {
        title: "PORT",
        text: ({ port, ports }) => `:${port}${ports.length > 1 ? ` +${ports.length - 1}` : ""}`,
      },
      { title: "PID", text: ({ pid }) => String(pid), paint: () => colors.dim },
      {
        title: "FOLDER",
        text: ({ cwd }) => shownFolder(cwd, home),
        cut: "start",
        most: 40,
        least: 20,
      },
      {
        title: "NAME IT WITH",
        text: namingCommand,
        paint: () => colors.cyan,
        // Half a command is of no use.
        below: () => true,
        fold: foldedCommand,
        ...(columns === undefined ? {} : { most: Math.max(leastCommand, columns - besides) }),
      },
    ],
    { columns, colors },
  );
  const reasons = nameless
    .filter(({ fault }) => fault.kind !== "no name")
    .flatMap((its) => warning(unusableText(its), options));
  return [fitted(title, columns), ...rows, ...reasons];
}

/** The warnings of services, a sentence each; long ones are wrapped and indented. */
export function warningLines(services: readonly Service[], options: RowOptions): string[] {
  return services.flatMap((service) =>
    service.warnings.flatMap((text) =>
      warning(`${service.name} (${holderText(service)}): ${text}`, options),
    ),
  );
}

function warning(text: string, { columns, colors }: RowOptions): string[] {
  return remarkLines(`! ${text}`, { columns, paint: colors.yellow });
}
