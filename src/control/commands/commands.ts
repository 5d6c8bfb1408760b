/** The commands that the daemon knows: one list, behind the IPC socket and the HTTP API alike. */
import { listed } from "../../text/list.ts";
import * as v from "valibot";
import type { ObservedProcess, Scan } from "../../discovery/observation.ts";
import { didYouMean } from "../../text/nearest.ts";
import type { Service } from "../../routes/service.ts";
import { secureUrl, serviceRow } from "../../routes/service-row.ts";
import { beginning, type ServiceReport } from "./events.ts";
import {
  type Backend,
  type Command,
  CommandError,
  command,
  nothing,
  ok,
  type Schema,
  type Stream,
} from "./command.ts";
import { logStream } from "./log-stream.ts";
import { noService } from "./no-service.ts";
import { projectCommands } from "./project-commands.ts";
import { type Facts, shutdownPath } from "../found/protocol.ts";
import { statusRows } from "./status.ts";

export {
  type Backend,
  type Command,
  CommandError,
  type ErrorCode,
  type Gauges,
  type Receiver,
  type Stream,
  type TrustWanted,
} from "./command.ts";

const name = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(255),
  v.description("a service's name, without .localhost"),
);
/** What is remembered at all. */
const mostRequests = 1000;

export const commands: readonly Command[] = [
  command({
    name: "Ping",
    method: "GET",
    path: "/v1/ping",
    summary: "Whether anybody is there.",
    answer: '`{"pong":true}`; by IPC `"Pong"`',
    input: nothing,
    changes: false,
    streams: false,
    run: () => ({ pong: true }),
    reply: () => "Pong",
  }),
  command({
    name: "GetVersion",
    method: "GET",
    path: "/v1/version",
    summary: "The version of the daemon, which need not be that of the client.",
    answer: '`{"version"}`; by IPC `{"Version":"0.1.0"}`',
    input: nothing,
    changes: false,
    streams: false,
    run: (_, { facts }) => ({ version: facts().version }),
    reply: ({ version }: { version: string }) => ({ Version: version }),
  }),
  command({
    name: "Daemon",
    method: "GET",
    path: "/v1/daemon",
    summary: "Who the daemon is, where it is, and how it fares.",
    answer:
      "its registration, and `addresses`, `stateDirectory`, `log` (null: a terminal), `uptime` in milliseconds, `memory` in bytes, `connections`",
    input: nothing,
    changes: false,
    streams: false,
    run: (_, backend) => daemonOf(backend),
  }),
  command({
    name: "Status",
    method: "GET",
    path: "/v1/status",
    summary: "Every service, in the words of the first locald.",
    answer:
      "an array of `{name, pid, port, status, url, domain, health_status, health_source, path, workspace, constellation, warnings, started_at, command}`; those of a project have `project, service, type, state, why, says, ready, ready_at, uptime, restarts, exit, cpu, memory, lazy, pending` too; `pending` is what their files say now and waits for `up`: null, or `{change, keys, before, after, why, held}`",
    input: nothing,
    changes: false,
    streams: false,
    run: (_, backend) => statusRows(backend),
  }),
  command({
    name: "Services",
    method: "GET",
    path: "/v1/services",
    summary: "Every service, with what it was asked since the daemon started.",
    answer: "an array of rows as of `ls --json`, each with `secureUrl` and `traffic`",
    input: nothing,
    changes: false,
    streams: false,
    run: (_, backend) => reports(backend),
  }),
  command({
    name: "Service",
    method: "GET",
    path: "/v1/service",
    summary: "One service: its row, its processes with their ports, its last requests.",
    answer: "the row, and `processes` and `requests`",
    input: v.strictObject({ name }),
    changes: false,
    streams: false,
    run: ({ name }, backend) => detailOf(name, backend),
  }),
  command({
    name: "Requests",
    method: "GET",
    path: "/v1/requests",
    summary: "The last requests through the proxy, the newest first.",
    answer: "an array of requests",
    input: v.strictObject({
      service: v.optional(name),
      limit: v.optional(
        v.pipe(
          v.number(),
          v.integer(),
          v.minValue(1),
          v.maxValue(mostRequests),
          v.description("at most so many"),
        ),
        100,
      ),
    }),
    changes: false,
    streams: false,
    run: ({ service, limit }, { traffic }) =>
      traffic.recent({ limit, ...(service === undefined ? {} : { service }) }),
  }),
  command({
    name: "Look",
    method: "GET",
    path: "/v1/look",
    summary:
      "Looks at the machine now and tells all that was seen: what `ls`, `url`, `port` and `why` need.",
    answer: "`{daemon, services, scan}`",
    input: nothing,
    changes: false,
    streams: false,
    async run(_, backend) {
      await backend.look();
      return sightOf(backend);
    },
  }),
  command({
    name: "Events",
    method: "GET",
    path: "/v1/events",
    summary: "What happens, as it happens; first all that there is to know.",
    answer: "a stream of events, see above",
    input: v.strictObject({
      last_event_id: v.optional(
        v.pipe(
          v.string(),
          v.maxLength(64),
          v.description("the last event that was seen, to have those after it"),
        ),
      ),
    }),
    changes: false,
    streams: "sse",
    run:
      ({ last_event_id: lastId }, backend): Stream =>
      ({ next }) => {
        const leave = backend.attend();
        const unfollow = backend.feed.follow(next);
        const snapshot = () => snapshotOf(backend);
        for (const event of beginning(backend.feed, { lastId, snapshot })) next(event);
        return () => {
          unfollow();
          leave();
        };
      },
  }),
  command({
    name: "Logs",
    method: "GET",
    path: "/v1/logs",
    summary: "What services print, and what the daemon itself has to say, by time.",
    answer:
      "a line each: `{timestamp, service, stream, message, time}`, with `timestamp` in seconds and `time` in milliseconds",
    input: v.strictObject({
      service: v.optional(
        v.nullable(
          v.pipe(
            v.string(),
            v.maxLength(255),
            v.description("one, as `shop:api` or `api`; `localhostess` is the daemon itself"),
          ),
        ),
      ),
      services: v.optional(
        v.pipe(
          v.array(v.pipe(v.string(), v.maxLength(255))),
          v.maxLength(10_000),
          v.description("several of them; without any, all and the daemon"),
        ),
      ),
      project: v.optional(
        v.pipe(v.string(), v.maxLength(255), v.description("all of a project, by its name")),
      ),
      mode: v.optional(
        v.pipe(
          v.picklist(["snapshot", "follow"]),
          v.description("`snapshot`: what there is; `follow`: and what follows"),
        ),
        "snapshot",
      ),
      tail: v.optional(
        v.pipe(
          v.number(),
          v.integer(),
          v.minValue(0),
          v.maxValue(1_000_000_000),
          v.description("of what there is, the last lines"),
        ),
      ),
      since: v.optional(
        v.pipe(
          v.number(),
          v.integer(),
          v.minValue(0),
          v.maxValue(Number.MAX_SAFE_INTEGER),
          v.description("nothing older, in milliseconds since the Unix epoch"),
        ),
      ),
    }),
    changes: false,
    streams: "lines",
    run: (input, backend) => logStream(input, backend),
  }),
  command({
    name: "Dashboard",
    method: "POST",
    path: "/v1/dashboard",
    summary: "A URL that opens the page in one browser, once, within 60 seconds.",
    answer: "`{url}`",
    input: nothing,
    changes: true,
    streams: false,
    run(_, { dashboard }) {
      if (dashboard === undefined) throw new CommandError("unsupported", "there is no page here");
      return { url: dashboard() };
    },
  }),
  command({
    name: "Trust",
    method: "POST",
    path: "/v1/trust",
    summary:
      "Our authority in this machine's trust stores: how it stands there, put there, taken out.",
    answer: "an array of rows as of `trust --json`",
    input: v.strictObject({
      action: v.pipe(
        v.picklist(["status", "install", "renew", "remove"]),
        v.description("what to do"),
      ),
      bare_names: v.optional(
        v.pipe(v.boolean(), v.description("the second authority too, as of `trust --bare-names`")),
      ),
    }),
    changes: true,
    streams: false,
    run(input, { trust }) {
      if (trust === undefined) {
        throw new CommandError(
          "unsupported",
          "trust stores are not changed from here; run: localhostess trust",
        );
      }
      return trust(input);
    },
  }),
  command({
    name: "Shutdown",
    method: "POST",
    path: shutdownPath,
    summary: "Ends the daemon: exchanges under way end first.",
    answer: '`{"ok":true}`; by IPC `"Ok"`',
    input: nothing,
    changes: true,
    streams: false,
    run(_, { shutdown }) {
      shutdown();
      return ok;
    },
    reply: () => "Ok",
  }),
  ...projectCommands,
];

/** Words of the first locald that we do not have yet. */
const unsupported: ReadonlySet<string> = new Set([
  "Reset",
  "RunContainer",
  "AiContext",
  "AiSchema",
]);

const byName = new Map(commands.map((its) => [its.name, its]));

/** @throws CommandError where there is none of that name. */
export function commandNamed(name: string): Command {
  const found = byName.get(name);
  if (found !== undefined) return found;
  const shown = JSON.stringify(name.slice(0, 100));
  if (unsupported.has(name)) {
    throw new CommandError("unsupported", `this daemon has no ${name} yet`);
  }
  const names = [...byName.keys()];
  const hint = didYouMean(name, names, { otherwise: `; known are ${listed(names)}` });
  throw new CommandError("unknown_command", `there is no command ${shown}${hint}`);
}

/** Checks what was sent, and runs it: a value, or a `Stream` where the command streams. @throws CommandError */
export async function perform(
  { name, input, changes, session, run }: Command,
  { sent, backend, bySession = false }: { sent: unknown; backend: Backend; bySession?: boolean },
): Promise<unknown> {
  const wrong = mistakesIn(sent, input);
  if (wrong.length > 0) {
    throw new CommandError(
      "bad_request",
      `${name}: ${wrong.join("; ").slice(0, longestComplaint)}`,
    );
  }
  const read = v.parse(input, sent);
  if (bySession && changes) {
    const why = session === undefined ? notBySession : session(read as never, backend);
    if (why !== undefined) throw new CommandError("forbidden", `${name}: ${why}`);
  }
  return run(read as never, backend);
}

const notBySession = "the page may not do this; the command line does";

/** Characters. It may repeat what was sent. */
const longestComplaint = 2000;

function mistakesIn(sent: unknown, input: Schema): string[] {
  // The library takes a list for an object, as the language does.
  if (Array.isArray(sent)) return ["what was sent: an object is needed, and it is a list"];
  const keys = typeof sent === "object" && sent !== null ? Object.keys(sent) : [];
  const entries = input.entries as Readonly<Record<string, Field>>;
  const lists = keys.filter(
    (key) =>
      Object.hasOwn(entries, key) &&
      innermost(entries[key]!).type === "record" &&
      Array.isArray((sent as Record<string, unknown>)[key]),
  );
  const read = v.safeParse(input, sent);
  const issues = read.success ? [] : read.issues;
  return [
    ...lists.map((key) => `${key}: an object is needed, and it is a list`),
    ...issues.map((issue) => `${v.getDotPath(issue) ?? "what was sent"}: ${issue.message}`),
  ];
}

type Field = { type?: string; wrapped?: Field };

/** Without what says that it may be missing, or null. */
function innermost(field: Field): Field {
  return field.wrapped === undefined ? field : innermost(field.wrapped);
}

/** What goes out by IPC. */
export function replyOf({ name, reply }: Command, value: unknown): unknown {
  return reply === undefined ? { [name]: value } : reply(value as never);
}

export function report(
  service: Service,
  { facts, traffic }: Pick<Backend, "facts" | "traffic">,
): ServiceReport {
  const its = facts();
  const row = serviceRow(service, its.httpPort ?? its.port);
  const secured = service.routable ? secureUrl(service.name, its.httpsPort ?? its.port) : null;
  return { ...row, secureUrl: secured, traffic: traffic.counts(service.name) };
}

function reports(backend: Backend): ServiceReport[] {
  return backend.services().map((service) => report(service, backend));
}

function snapshotOf(backend: Backend): unknown {
  const supervised = backend.projects?.snapshots() ?? [];
  return { daemon: daemonOf(backend), services: reports(backend), supervised };
}

function daemonOf({ facts, gauges }: Backend): unknown {
  const its = facts();
  return {
    ...its,
    log: its.log ?? null,
    uptime: Math.max(0, Date.now() - its.startedAt),
    ...gauges(),
  };
}

/** Recent requests in the detail of a service. */
const requestsInDetail = 100;

function detailOf(name: string, backend: Backend): unknown {
  const wanted = name.toLowerCase().replace(/\.localhost$/, "");
  const services = backend.services();
  const service = services.find((its) => its.name.toLowerCase() === wanted);
  if (service === undefined) throw noService(name, services);
  const { observations, processes } = backend.scan();
  return {
    ...report(service, backend),
    processes: service.pids.map((pid) => ({
      ...processOf(pid, processes),
      listening: observations
        .filter((seen) => seen.pids.includes(pid))
        .map(({ address, port }) => ({ address, port })),
    })),
    requests: backend.traffic.recent({ service: service.name, limit: requestsInDetail }),
  };
}

function processOf(pid: number, processes: ReadonlyMap<number, ObservedProcess>): object {
  const seen = processes.get(pid);
  return {
    pid,
    parent: seen?.parent ?? null,
    command: seen?.command ?? null,
    cwd: seen?.cwd ?? null,
    startedAt: seen === undefined ? null : new Date(seen.startedAt).toISOString(),
  };
}

/** What a client that looks through the daemon gets: `Map`s as lists, as JSON has none. */
export type SeenSight = {
  daemon: Facts;
  services: readonly Service[];
  scan: {
    observations: Scan["observations"];
    processes: readonly ObservedProcess[];
    skipped: Scan["skipped"];
  };
};

function sightOf(backend: Backend): SeenSight {
  const { observations, processes, skipped } = backend.scan();
  return {
    daemon: backend.facts(),
    services: backend.services(),
    scan: { observations, processes: [...processes.values()], skipped },
  };
}
