/** Services that were started -> a line on stderr for each whose environment has a URL that it cannot resolve. */
import { basename } from "node:path";
import type { ProjectSpec } from "../../manifest/project.ts";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import { definedOf } from "../shared/defined.ts";
import { addressesOf, elsewhereIn } from "../shared/resolver.ts";
import { resolverRemedy } from "../shared/resolver-remedy.ts";
import type { World } from "../shared/world.ts";
import { answerOf, type Row } from "./asking.ts";

/** Milliseconds; the resolver of a machine without a network may be slow, and nobody waits for that. */
const patience = 1000;
/** Services whose environments are asked for at the same time. */
const atOnce = 8;

/** A name that no server has: a resolver that knows it knows all of them. */
const probe = "localhostess-probe.localhost";

export type UnresolvedOptions = {
  /** All services, for what can be written instead. */
  known: readonly Row[];
  world: Pick<World, "err" | "platform">;
  /** The environment of a service. */
  environmentOf(row: Row): Promise<Readonly<Record<string, string>>>;
  lookup: typeof addressesOf;
};

/** A variable of a service with a URL, and the URL's host. */
export type Named = { variable: string; host: string };

export type StartedOptions = {
  socket: string;
  project: Pick<ProjectSpec, "services">;
  known: readonly Row[];
  world: World;
};

/** The same of the services of a daemon. Never rejects: the start went as it went, and this only adds to it. */
export async function tellUnresolvedOf(
  rows: readonly Row[],
  { socket, project, known, world }: StartedOptions,
): Promise<void> {
  const env = definedOf(world.env);
  const asking = rows.filter((row) => mayName(row, { project, shell: env }));
  if (asking.length === 0) return;
  const environmentOf = async ({ name }: Row): Promise<Record<string, string>> => {
    try {
      const request = { GetServiceEnv: { name, env } };
      return (await answerOf<{ ServiceEnv: Record<string, string> }>(socket, request)).ServiceEnv;
    } catch {
      // The service or the daemon is gone again.
      return {};
    }
  };
  await tellUnresolved(asking, { known, world, environmentOf, lookup: addressesOf });
}

type Files = { project: Pick<ProjectSpec, "services">; shell: Readonly<Record<string, string>> };

/**
 * Whether the files or the shell may give a service such a URL. Most give none, and then neither the daemon nor a
 * resolver is asked. Pure.
 */
export function mayName({ service, instance }: Row, { project, shell }: Files): boolean {
  if (urlsIn(shell).length > 0) return true;
  const spec = project.services.find(({ name }) => name === service || name === instance?.of);
  return spec === undefined || Object.values(spec.env).some((value) => possible.test(value));
}

/** A name, or a reference that is filled with one. */
const possible = /\.localhost|\$\{project\.domain/i;

export async function tellUnresolved(
  rows: readonly Row[],
  { known, world, environmentOf, lookup }: UnresolvedOptions,
): Promise<void> {
  const finds = finder(lookup);
  if (await finds(probe)) return;
  const asking = rows.filter(({ command }) => !resolvesItself(command ?? ""));
  for (let first = 0; first < asking.length; first += atOnce) {
    const lines = asking.slice(first, first + atOnce).map(async (row) => {
      const env = await environmentOf(row);
      if (goesByProxy(env)) return [];
      const named: Named[] = [];
      for (const its of urlsIn(env)) {
        if (its.host !== hostOf(row.url) && !(await finds(its.host))) named.push(its);
      }
      return named.length === 0 ? [] : [await lineOf(row, named, { known, world })];
    });
    for (const line of (await Promise.all(lines)).flat()) {
      world.err.write(`${world.err.colors.yellow(`! ${printable(line, 2_000)}`)}\n`);
    }
  }
}

/** Whether a host leads to this machine, each asked once. No answer in time counts as yes: nothing is known then. */
function finder(lookup: typeof addressesOf): (host: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return (host) => {
    const asked =
      known.get(host) ??
      lookup(host, { deadline: patience }).then(
        (found) => found === "late" || (found.length > 0 && elsewhereIn(found).length === 0),
      );
    known.set(host, asked);
    return asked;
  };
}

/** Whether programs that read `http_proxy` hand names to a proxy of this machine, instead of resolving them. */
function goesByProxy(env: Readonly<Record<string, string>>): boolean {
  const proxy = URL.parse(env.http_proxy ?? env.HTTP_PROXY ?? "")?.hostname ?? "";
  return /^(127\.|\[::1\]$|localhost$)/.test(proxy);
}

/** Prefixes of variables that bundlers put into pages: a browser reads them, and resolves these names by itself. */
const forPages = /^(VITE|REACT_APP|VUE_APP|GATSBY|EXPO_PUBLIC)_/;

/** With bounds, because a value may be long and anything. */
const url =
  /\b[a-z][a-z0-9+.-]{0,30}:\/\/(?:[^\s/@]{0,500}@)?([a-z0-9_.-]{1,250}\.localhost)\.?(?=[:/?#\s"',;|)\]}]|$)/gi;

/** The URLs in an environment, besides those that the supervisor gives. Pure. */
export function urlsIn(env: Readonly<Record<string, string>>): Named[] {
  const found = new Map<string, Named>();
  for (const [variable, value] of Object.entries(env)) {
    if (variable.startsWith("LOCALHOSTESS_") || forPages.test(variable)) continue;
    for (const [, host] of value.matchAll(url)) {
      const its = { variable, host: host!.toLowerCase() };
      found.set(`${variable} ${its.host}`, its);
    }
  }
  return [...found.values()];
}

/**
 * Whether a command's own program finds names under localhost without the system's resolver: curl, browsers, and Bun's
 * fetch, where Bun runs a file itself. A package script may be of any runtime. Pure.
 */
export function resolvesItself(command: string): boolean {
  const words = command.trim().split(/\s+/);
  const first = words.findIndex((word) => word !== "exec" && !/^\w+=/.test(word));
  const program = basename(words[first] ?? "");
  if (program !== "bun") return /^(curl|chromium|google-chrome|firefox)/.test(program);
  return words.slice(first + 1).some((word) => /\.[cm]?[jt]sx?$/.test(word));
}

async function lineOf(
  row: Row,
  named: readonly Named[],
  { known, world }: Pick<UnresolvedOptions, "known" | "world">,
): Promise<string> {
  const variables = [...new Set(named.map(({ variable }) => variable))];
  const hosts = [...new Set(named.map(({ host }) => host))];
  const references = hosts.flatMap((host) => referenceTo(host, row, known) ?? []);
  const remedy = await resolverRemedy({ platform: world.platform, root: "/" }, hosts);
  const instead = references.length === 0 ? "run" : `write ${listed(references)}, or run`;
  const verb = variables.length === 1 ? "names" : "name";
  return `${row.name}: ${listed(variables)} ${verb} ${listed(hosts)}, which the system's resolver does not know, and so neither do Node, Python and most other programs; ${instead}: ${remedy}`;
}

/** A reference in locald.toml in the place of the address of a service of the same project, which needs no resolver. */
function referenceTo(host: string, row: Row, rows: readonly Row[]): string | undefined {
  const other = rows.find((its) => its.path === row.path && hostOf(its.url) === host);
  const service = other?.name.split(":")[1];
  return service === undefined ? undefined : `\${services.${service}.url} for ${host}`;
}

function hostOf(address: string | null): string | undefined {
  return address === null ? undefined : URL.parse(address)?.hostname;
}
