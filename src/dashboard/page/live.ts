/** The daemon's answers and events -> the signals that the page is drawn from. Reconnects after a lost connection. */
import { batch, computed, effect, signal } from "@preact/signals";
import type { DaemonReport, EventData } from "../../control/commands/daemon-report.ts";
import type { JsonForm } from "../../routes/json-form.ts";
import type { ServiceDetail, ServiceReport } from "../../routes/service-report.ts";
import { ask, signedOut } from "./ask.ts";
import {
  afterChange,
  afterCounts,
  afterRequest,
  afterSeconds,
  matching,
  sorted,
  withRequests,
} from "./model.ts";
import { followLogs, isSupervised, readProjects, readProjectsSoon } from "./projects.ts";

/** `ended`: the session is over, and only the command can begin another. */
export type FollowState = "connecting" | "live" | "lost" | "ended";

export const connection = signal<FollowState>("connecting");
export const daemon = signal<JsonForm<DaemonReport> | undefined>(undefined);
export const services = signal<readonly ServiceReport[]>([]);
export const query = signal("");
export const found = computed(() => matching(services.value, query.value));
/** Moves once a second, for durations. */
export const now = signal(Date.now());
/** The text for screen readers. */
export const news = signal("");
/** The service whose detail is shown; undefined: the list. */
export const shown = signal(nameInAddress());
export const detail = signal<ServiceDetail | undefined>(undefined);
/** Whether the service in the detail still runs. */
export const running = computed(() =>
  services.value.some((service) => service.name === shown.value),
);

/** Milliseconds between refreshes, for values that no event carries: medians, requests under way. */
const resync = 5_000;
const callersDelay = 1_000;
const firstRetry = 500;
const lastRetry = 5_000;

let source: EventSource | undefined;
let lastId: string | undefined;
let retry = firstRetry;
let detailWanted = 0;
let callersWanted: ReturnType<typeof setTimeout> | undefined;

function nameInAddress(): string | undefined {
  const [, name] = location.hash.match(/^#\/(.+)$/) ?? [];
  try {
    return name === undefined ? undefined : decodeURIComponent(name);
  } catch {
    // Not an address of ours: the list is shown.
    return undefined;
  }
}

export function start(): void {
  connect();
  effect(() => {
    if (signedOut.value) end();
  });
  addEventListener("hashchange", () => {
    shown.value = nameInAddress();
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
  void readDetail();
}

async function refresh(): Promise<void> {
  const [fresh, facts] = await Promise.all([
    ask<ServiceReport[]>("/v1/services"),
    ask<JsonForm<DaemonReport>>("/v1/daemon"),
  ]);
  batch(() => {
    if (fresh !== undefined) services.value = sorted(fresh);
    if (facts !== undefined) daemon.value = facts;
  });
  await Promise.all([readDetail(), readProjects()]);
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
  const name = shown.value;
  const turn = ++detailWanted;
  followLogs(isSupervised(name) ? name : undefined);
  if (name === undefined || isSupervised(name)) {
    detail.value = undefined;
    return;
  }
  if (detail.value?.name !== name) detail.value = undefined;
  const read = await ask<ServiceDetail>(`/v1/service?name=${encodeURIComponent(name)}`);
  // A newer request is under way.
  if (turn !== detailWanted || read === undefined) return;
  const known = detail.value?.requests ?? [];
  detail.value = { ...read, requests: withRequests(known, read.requests) };
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
    if (change === "appeared") tell(`${service.name} is running`);
    if (change === "gone") tell(`${service.name} has ended`);
    if (service.name === shown.value) void readDetail();
  });
  on("supervised", readProjectsSoon);
  on("request", (request) => {
    services.value = afterRequest(services.value, request);
    const its = detail.value;
    if (its !== undefined && its.name === request.service) {
      detail.value = { ...its, requests: withRequests(its.requests, [request]) };
      if (request.caller === undefined) readDetailSoon();
    }
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

function begin({ daemon: facts, services: fresh }: EventData["hello"]): void {
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
