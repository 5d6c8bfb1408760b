/** The daemon's reports and events -> the values that the page shows. Pure. */

import { byCheckout } from "../../routes/by-checkout.ts";
import type { JsonForm } from "../../routes/json-form.ts";
import type { SupervisedStatus } from "../../routes/project-report.ts";
import type { ServiceChange, ServiceCounts, ServiceReport } from "../../routes/service-report.ts";
import type { RecordedRequest } from "../../routes/traffic.ts";

/** A request as the daemon reports it. */
export type SeenRequest = JsonForm<RecordedRequest>;

/** Requests that the detail view lists. */
export const shownRequests = 100;

/** `busy`: it will be something else soon. `off`: it is down, and nothing is wrong with that. */
export type Tone = "good" | "warn" | "bad" | "busy" | "off";

/** One service, whoever started it: what a project declares, and what was found listening under its name. */
export type Entry = {
  /** The service's id, `shop:api`, or the server's name; with its pid where two may have that name. */
  id: string;
  declared: SupervisedStatus | undefined;
  found: ServiceReport | undefined;
  /** In one word. */
  state: string;
  tone: Tone;
};

/** The services of one folder's project, or all servers that no project declares. */
export type Group = {
  /** The folder; empty for servers of no project. */
  key: string;
  name: string;
  entries: readonly Entry[];
};

/** Requests of other sites' pages that the guard refused, or only told. */
export function deniedOf({ declared, found }: Pick<Entry, "declared" | "found">): number {
  return Math.max(declared?.denied ?? 0, found?.traffic.denied ?? 0);
}

/** The part of the page's address that shows a service in detail. */
export function detailAddress(id: string): string {
  return `#/${encodeURIComponent(id)}`;
}

/** A row keeps its key for as long as its process lives. A name that cannot be routed may occur twice. */
export function keyOf(service: ServiceReport): string {
  return service.url === null
    ? `${service.name} ${service.pid ?? `${service.address} ${service.port}`}`
    : service.name;
}

export function sorted(services: readonly ServiceReport[]): readonly ServiceReport[] {
  return [...services].sort(
    (a, b) => Number(a.url === null) - Number(b.url === null) || compare(a.name, b.name),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A service of a project stands once: with the server that was found in its place, if there is one. */
export function entriesOf(
  declared: readonly SupervisedStatus[],
  found: readonly ServiceReport[],
): readonly Entry[] {
  const left = new Set(found);
  const ours = declared.map((its): Entry => {
    // A stopped service's name may be another server's meanwhile.
    const server =
      its.pid === null || its.route_name === null
        ? undefined
        : found.find(({ name, url }) => url !== null && name === its.route_name);
    if (server !== undefined) left.delete(server);
    return {
      id: its.name,
      declared: its,
      found: server,
      state: its.state,
      tone: toneOf(its),
    };
  });
  const others = [...left].map((its): Entry => ({
    id: keyOf(its),
    declared: undefined,
    found: its,
    state: its.url === null ? "no address" : "running",
    tone: its.url === null || its.warnings.length > 0 ? "warn" : "good",
  }));
  return [...ours.sort((a, b) => compare(a.id, b.id)), ...others];
}

/** For a name that can show several checkouts: what it shows, if that is not what it is called. */
export function shownText({ found }: Pick<Entry, "found">): string | undefined {
  const { origin, name } = found ?? {};
  if (origin == null) return undefined;
  if (origin.name === name) return origin.shown ? undefined : "its address shows a worktree";
  return origin.shown ? `shown at ${origin.name}.localhost` : undefined;
}

/** `fix-nav.shop` -> `shop.fix-nav`: a project, and then its worktrees. */
function worktreesBehind(name: string): string {
  return name.split(".").reverse().join(".");
}

const tones: Record<SupervisedStatus["state"], Tone> = {
  stopped: "off",
  starting: "busy",
  running: "busy",
  ready: "good",
  unready: "warn",
  stopping: "busy",
  exited: "off",
  completed: "off",
  backoff: "bad",
  failed: "bad",
};

function toneOf({ state, exit, warnings }: SupervisedStatus): Tone {
  if (state === "exited" && exit !== null && exit.code !== 0) return "bad";
  return state === "ready" && warnings.length > 0 ? "warn" : tones[state];
}

/** Whether it runs, or will by itself: it can be stopped. */
export function isUp({ state }: SupervisedStatus): boolean {
  return !["stopped", "exited", "completed", "failed"].includes(state);
}

/** By project, in the order of their names, then all others. */
export function groupsOf(entries: readonly Entry[]): readonly Group[] {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const key = entry.declared?.path ?? "";
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  const all = [...groups].map(([key, its]) => ({
    key,
    name: its[0]!.declared?.project ?? "No project",
    entries: key === "" ? togetherByCheckout(its) : its,
  }));
  return all.sort(
    (a, b) =>
      Number(a.key === "") - Number(b.key === "") ||
      compare(worktreesBehind(a.name), worktreesBehind(b.name)) ||
      compare(a.key, b.key),
  );
}

function togetherByCheckout(entries: readonly Entry[]): readonly Entry[] {
  const rows = entries.map((entry) => ({ entry, checkout: entry.found?.checkout }));
  return byCheckout(rows).map(({ row }) => row.entry);
}

/** How many there are of each state, those first that somebody has to look at. */
export function statesOf(
  entries: readonly Entry[],
): readonly { state: string; tone: Tone; count: number }[] {
  const order: readonly Tone[] = ["bad", "warn", "busy", "good", "off"];
  const counts = new Map<string, { state: string; tone: Tone; count: number }>();
  for (const { state, tone } of entries) {
    const known = counts.get(state) ?? { state, tone, count: 0 };
    const worse = order.indexOf(tone) < order.indexOf(known.tone) ? tone : known.tone;
    counts.set(state, { state, tone: worse, count: known.count + 1 });
  }
  return [...counts.values()].sort(
    (a, b) => order.indexOf(a.tone) - order.indexOf(b.tone) || compare(a.state, b.state),
  );
}

export function afterChange(
  services: readonly ServiceReport[],
  { change, service }: ServiceChange,
): readonly ServiceReport[] {
  const others = services.filter((other) => keyOf(other) !== keyOf(service));
  return change === "gone" ? others : sorted([...others, service]);
}

/** Whether a request counts as an error. A stream that ends is none. */
export function isBad({ status, stream }: Pick<RecordedRequest, "status" | "stream">): boolean {
  return status >= 500 || (status === 0 && !stream);
}

/** A request has ended. The median of its service stays until the next refresh. */
export function afterRequest(
  services: readonly ServiceReport[],
  request: SeenRequest,
): readonly ServiceReport[] {
  return services.map((service) => {
    if (service.name !== request.service) return service;
    const { traffic } = service;
    // The guard has answered it, and not the service.
    if (request.denied === "refused") {
      return { ...service, traffic: { ...traffic, denied: traffic.denied + 1 } };
    }
    const per_second = [...traffic.per_second];
    per_second[per_second.length - 1]! += 1;
    const failed = isBad(request);
    return {
      ...service,
      traffic: {
        ...traffic,
        requests: traffic.requests + 1,
        errors: traffic.errors + (failed ? 1 : 0),
        median_milliseconds:
          traffic.median_milliseconds ?? (request.stream ? null : request.milliseconds),
        per_second,
      },
    };
  });
}

export function afterCounts(
  services: readonly ServiceReport[],
  { service: name, counts }: JsonForm<ServiceCounts>,
): readonly ServiceReport[] {
  return services.map((service) =>
    service.name === name ? { ...service, traffic: counts } : service,
  );
}

/** Seconds go by. Services without recent requests stay the same value. */
export function afterSeconds(
  services: readonly ServiceReport[],
  seconds: number,
): readonly ServiceReport[] {
  if (seconds <= 0) return services;
  return services.map((service) => {
    const { per_second } = service.traffic;
    if (per_second.every((count) => count === 0)) return service;
    const passed = Math.min(seconds, per_second.length);
    const forward = [...per_second.slice(passed), ...Array<number>(passed).fill(0)];
    return { ...service, traffic: { ...service.traffic, per_second: forward } };
  });
}

/** Each once, without those that its sentence has already. */
export function warningsOf({ declared, found }: Pick<Entry, "declared" | "found">): string[] {
  const all = new Set([...(declared?.warnings ?? []), ...(found?.warnings ?? [])]);
  return [...all].filter((text) => declared?.message.includes(text) !== true);
}

/** The words of a query, all of which must be found. None: everything is. */
export function wordsOf(query: string): readonly string[] {
  return query.toLowerCase().split(/\s+/).filter(Boolean);
}

/** Whether a text has all of the words. */
export function hasAll(text: string, words: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

/** All that is known of a service, in one text. */
function textOf({ id, state, declared, found }: Entry): string {
  const parts: (string | number | null | undefined)[] = [id, state];
  if (declared !== undefined) {
    const { path, command, url, pid, port, message, says, type, plugin, warnings } = declared;
    parts.push(path, command, url, pid, port, message, says, type, plugin, ...warnings);
    if (declared.pending) parts.push("waits for up");
  }
  if (found !== undefined) {
    const { name, command, cwd, url, secure_url, ports, pids, warnings } = found;
    parts.push(name, command, cwd, url, secure_url, ...ports, ...pids, ...warnings);
  }
  return parts.filter((part) => part !== null && part !== undefined).join("\n");
}

/** The query that finds the services in a state, and no others: `is:ready`. */
export function stateQuery(state: string): string {
  return `is:${state.replaceAll(" ", "-")}`;
}

/** `kept`: the ids of services that stay, as a person has just stopped them and is still there. */
export function matching(
  entries: readonly Entry[],
  { query, kept }: { query: string; kept?: ReadonlySet<string> },
): readonly Entry[] {
  const words = wordsOf(query);
  if (words.length === 0) return entries;
  return entries.filter((entry) => {
    if (kept?.has(entry.id)) return true;
    const its = stateQuery(entry.state);
    const others = words.filter((word) => word !== its);
    return hasAll(textOf(entry), others);
  });
}

/** The requests that a query finds, the newest first. */
export function matchingRequests(
  requests: readonly SeenRequest[],
  query: string,
): readonly SeenRequest[] {
  const words = wordsOf(query);
  if (words.length === 0) return [];
  return requests.filter(({ service, method, target, status, caller }) =>
    hasAll([service, method, target, status, caller?.command ?? ""].join(" "), words),
  );
}

/** A line of output, without colours. */
export type PlainLine = { service: string; text: string; time: string };

/** The lines that a query finds, the newest first. */
export function matchingLines(lines: readonly PlainLine[], query: string): readonly PlainLine[] {
  const words = wordsOf(query);
  if (words.length === 0) return [];
  return lines.filter(({ service, text }) => hasAll(`${service} ${text}`, words)).toReversed();
}

/** A text in pieces, of which every second one is a word that was searched. */
export function marked(text: string, words: readonly string[]): readonly string[] {
  if (words.length === 0) return [text];
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return text.split(new RegExp(`(${escaped.join("|")})`, "gi"));
}

/** The newest first, each once. */
export function withRequests(
  known: readonly SeenRequest[],
  more: readonly SeenRequest[],
  most = shownRequests,
): readonly SeenRequest[] {
  const byId = new Map<number, SeenRequest>();
  for (const request of [...known, ...more]) byId.set(request.id, request);
  return [...byId.values()].sort((a, b) => b.id - a.id).slice(0, most);
}
