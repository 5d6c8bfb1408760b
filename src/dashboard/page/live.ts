/** The daemon's answers and events -> the signals that the page is drawn from. Reconnects after a lost connection. */
import { batch, computed, effect, signal } from "@preact/signals";
import type { DaemonReport, EventData } from "../../control/commands/daemon-report.ts";
import type { JsonForm } from "../../routes/json-form.ts";
import type { SupervisedStatus } from "../../routes/project-report.ts";
import type { NamelessReport, ServiceDetail, ServiceReport } from "../../routes/service-report.ts";
import { ask, signedOut } from "./ask.ts";
import {
  afterChange,
  afterCounts,
  afterRequest,
  afterSeconds,
  type Entry,
  entriesOf,
  hasAll,
  matching,
  type SeenRequest,
  shownRequests,
  sorted,
  withRequests,
  wordsOf,
} from "./model.ts";
import { followLogs, projects, readProjects, readProjectsSoon } from "./projects.ts";
import { query, startSearch } from "./search.ts";

/** `ended`: the session is over, and only the command can begin another. */
export type FollowState = "connecting" | "live" | "lost" | "ended";

export const connection = signal<FollowState>("connecting");
export const daemon = signal<JsonForm<DaemonReport> | undefined>(undefined);
export const services = signal<readonly ServiceReport[]>([]);
export const entries = computed(() => entriesOf(projects.value, services.value));
/** The services that a person has stopped or started while searching: they stay where they are. */
export const kept = signal<ReadonlySet<string>>(new Set());
export const matches = computed(() =>
  matching(entries.value, { query: query.value, kept: kept.value }),
);
/** Servers that no name leads to, each in a sentence. One with a bad name stands among the services as well. */
export const nameless = signal<readonly NamelessReport[]>([]);
export const namelessMatches = computed(() => {
  const words = wordsOf(query.value);
  const others = nameless.value.filter(({ fault }) => fault !== "bad name");
  return others.filter(({ message }) => hasAll(message, words));
});
/** Moves once a second, for durations. */
export const now = signal(Date.now());
/** The text for screen readers. */
export const news = signal("");
/** The id of the service whose detail is shown; undefined: the list. */
export const shown = signal(idInAddress());
/** The service that was shown last: its row is where a person goes back to. */
export const left = signal<string | undefined>(undefined);
/** The service that is shown, as it is now, or as it was when it ended. */
export const entry = signal<Entry | undefined>(undefined);
/** Whether the service in the detail is there. */
export const isThere = computed(() => find(shown.value) !== undefined);
/** The processes of the service that is shown. */
export const detail = signal<ServiceDetail | undefined>(undefined);
/** Its requests that the guard has something against; those of a service that sleeps are in its row. */
export const denials = computed(
  () => detail.value?.denials ?? entry.value?.declared?.denials ?? [],
);
/** The requests of the service that is shown. */
export const requests = signal<readonly SeenRequest[]>([]);
/** Whether the daemon has said what there is. */
export const isKnown = signal(false);

/** Milliseconds between refreshes, for values that no event carries: medians, requests under way. */
const resync = 5_000;
const callersDelay = 1_000;
const firstRetry = 500;
const lastRetry = 5_000;

/** States that are announced. The others pass, and those of a service that is tried again and again never end. */
const lastingStates: ReadonlySet<SupervisedStatus["state"]> = new Set([
  "ready",
  "unready",
  "stopped",
  "exited",
  "completed",
  "failed",
]);

let source: EventSource | undefined;
let lastId: string | undefined;
let retry = firstRetry;
let detailWanted = 0;
let callersWanted: ReturnType<typeof setTimeout> | undefined;

/** A server that a project declares may be addressed by its own name as well. */
function find(id: string | undefined): Entry | undefined {
  if (id === undefined) return undefined;
  const all = entries.value;
  return all.find((its) => its.id === id) ?? all.find(({ found }) => found?.name === id);
}

/** The name by which requests to a service are recorded. */
function routeOf({ declared, found }: Entry): string | undefined {
  return found?.name ?? declared?.route_name ?? undefined;
}

function idInAddress(): string | undefined {
  const [, id] = location.hash.match(/^#\/(.+)$/) ?? [];
  try {
    return id === undefined ? undefined : decodeURIComponent(id);
  } catch {
    // Not an address of ours: the list is shown.
    return undefined;
  }
}

export function start(): void {
  connect();
  startSearch();
  effect(() => {
    if (signedOut.value) end();
  });
  // The service that is shown is there, has changed, or has come back.
  effect(() => {
    const its = find(shown.value);
    if (its !== undefined) entry.value = its;
  });
  effect(() => {
    const its = entry.value;
    followLogs(shown.value === undefined || its?.declared === undefined ? undefined : its.id);
  });
  effect(() => {
    void query.value;
    kept.value = new Set();
  });
  addEventListener("hashchange", () => {
    batch(() => {
      left.value = shown.value;
      shown.value = idInAddress();
      entry.value = find(shown.value);
      detail.value = undefined;
      requests.value = [];
    });
    void readDetail();
  });
  addEventListener("online", () => connection.value === "lost" && connect());
  let second = Math.floor(Date.now() / 1_000);
  setInterval(() => {
    const time = Date.now();
    const passed = Math.floor(time / 1_000) - second;
    second += passed;
    batch(() => {
      now.value = time;
      services.value = afterSeconds(services.value, passed);
    });
  }, 1_000);
  setInterval(() => {
    if (connection.value === "live" && document.visibilityState === "visible") void refresh();
  }, resync);
}

async function refresh(): Promise<void> {
  const [fresh, facts, others] = await Promise.all([
    ask<ServiceReport[]>("/v1/services"),
    ask<JsonForm<DaemonReport>>("/v1/daemon"),
    ask<NamelessReport[]>("/v1/nameless"),
    readProjects(),
  ]);
  batch(() => {
    if (fresh !== undefined) services.value = sorted(fresh);
    if (facts !== undefined) daemon.value = facts;
    if (others !== undefined) nameless.value = others;
    isKnown.value = true;
  });
  await readDetail();
}

/** The daemon looks callers up in batches, so some are known a little later than their requests. */
function readDetailSoon(): void {
  if (callersWanted !== undefined) return;
  callersWanted = setTimeout(() => {
    callersWanted = undefined;
    void readDetail();
  }, callersDelay);
}

async function readDetail(): Promise<void> {
  const turn = ++detailWanted;
  const its = entry.value;
  const route = its === undefined ? undefined : routeOf(its);
  if (its === undefined || route === undefined) return;
  const name = encodeURIComponent(route);
  const [processes, latest] = await Promise.all([
    its.found === undefined || !isThere.value
      ? undefined
      : ask<ServiceDetail>(`/v1/service?name=${name}`),
    ask<SeenRequest[]>(`/v1/requests?service=${name}&limit=${shownRequests}`),
  ]);
  // A newer request is under way.
  if (turn !== detailWanted) return;
  batch(() => {
    if (processes !== undefined) detail.value = processes;
    if (latest !== undefined) requests.value = withRequests(requests.value, latest);
  });
}

function connect(): void {
  source?.close();
  const path = lastId === undefined ? "" : `?last_event_id=${encodeURIComponent(lastId)}`;
  const its = new EventSource(`/v1/events${path}`);
  source = its;
  const on = <Type extends keyof EventData>(type: Type, act: (data: EventData[Type]) => void) => {
    its.addEventListener(type, (event) => {
      const { data, lastEventId } = event as MessageEvent<string>;
      lastId = lastEventId;
      batch(() => act(JSON.parse(data) as EventData[Type]));
    });
  };
  on("hello", begin);
  on("reset", begin);
  on("service", ({ change, service }) => {
    services.value = afterChange(services.value, { change, service });
    const isDeclared = projects.value.some(({ route_name }) => route_name === service.name);
    // The supervisor tells of its own services, and knows more.
    if (change === "appeared" && !isDeclared) tell(`${service.name} is running`);
    if (change === "gone" && !isDeclared) tell(`${service.name} has ended`);
    if (entry.value !== undefined && service.name === routeOf(entry.value)) void readDetail();
  });
  on("supervised", ({ change, service: { id, state } }) => {
    readProjectsSoon();
    const before = projects.value.find(({ name }) => name === id)?.state;
    if (change === "gone" || before === undefined || before === state) return;
    if (lastingStates.has(state)) tell(`${id}: ${state}`);
  });
  on("request", (request) => {
    services.value = afterRequest(services.value, request);
    if (entry.value === undefined || routeOf(entry.value) !== request.service) return;
    requests.value = withRequests(requests.value, [request]);
    if (request.caller === undefined || request.denied !== null) readDetailSoon();
  });
  on("requests", (told) => {
    services.value = afterCounts(services.value, told);
  });
  its.onopen = () => {
    retry = firstRetry;
    if (connection.value === "lost") tell("Connected again");
    connection.value = "live";
    void refresh();
  };
  its.onerror = () => {
    // The browser retries by itself, but not after an answer that is no stream.
    its.close();
    if (its === source && connection.value !== "ended") lose();
  };
}

/** Another daemon numbers its requests anew. */
function begin({ daemon: facts, services: fresh }: EventData["hello"]): void {
  if (daemon.value !== undefined && daemon.value.id !== facts.id) requests.value = [];
  daemon.value = facts;
  services.value = sorted(fresh);
}

function lose(): void {
  if (connection.value !== "lost") {
    connection.value = "lost";
    tell("Connection lost");
  }
  setTimeout(async () => {
    // Finds out whether the daemon is gone or only this session.
    await ask("/v1/daemon");
    if (connection.value === "lost") connect();
  }, retry);
  retry = Math.min(lastRetry, retry * 1.5);
}

function end(): void {
  if (connection.value === "ended") return;
  connection.value = "ended";
  source?.close();
  tell("This page is no longer signed in");
}

function tell(text: string): void {
  news.value = text;
}
