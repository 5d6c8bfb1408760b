/** The commands about services, whoever started them: status, requests, events and logs. */
import * as v from "valibot";
import { jsonForm } from "../../routes/json-form.ts";
import { type Command, command, nothing, type Stream } from "./command.ts";
import type { DaemonEvent } from "./daemon-report.ts";
import { beginning } from "./events.ts";
import { attachDialogue, sizeSchema } from "./attach-dialogue.ts";
import { logStream } from "./log-stream.ts";
import { detailOf, namelessOf, reports, sightOf, snapshotOf } from "./reports.ts";
import { statusRows } from "./status.ts";

const name = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(255),
  v.description("a service's name, without .localhost"),
);

/** The recorder remembers no more. */
const mostRequests = 1000;

export const serviceCommands: readonly Command[] = [
  command({
    name: "Status",
    method: "GET",
    path: "/v1/status",
    summary: "All services, in the first locald's format.",
    answer:
      "an array of `{name, pid, port, status, url, domain, health_status, health_source, path, workspace, constellation, warnings, started_at, command}`; services of a project also have `project, service, route_name, type, state, why, message, says, ready, ready_at, uptime, restarts, exit, cpu, memory, memory_limit, denied, denials, lazy, next_run, instance, plugin, pending`; `message` is its state, the cause and the command that helps, in a sentence; `instance` is null, or for one of several processes that share a name `{of, number, route_name, url}`; `plugin` is null, or the name of the plugin that has made it; `pending` is a change in the project's files that waits for `up`: null, or `{change, keys, before, after, why, held}`",
    input: nothing,
    changes: false,
    streams: false,
    run: (_, backend) => statusRows(backend),
  }),
  command({
    name: "Services",
    method: "GET",
    path: "/v1/services",
    summary: "All services, each with its traffic since the daemon started.",
    answer: "an array of rows, as in `ls --json`, each with `secure_url` and `traffic`",
    input: nothing,
    changes: false,
    streams: false,
    run: (_, backend) => reports(backend),
  }),
  command({
    name: "Nameless",
    method: "GET",
    path: "/v1/nameless",
    summary: "Servers that no name leads to, with the command that gives each a name.",
    answer:
      "an array of `{pid, port, ports, command, cwd, started_at, fault, message}`, by port; `message` says which process it is, why no name leads to it, and what helps",
    input: nothing,
    changes: false,
    streams: false,
    run: (_, backend) => namelessOf(backend),
  }),
  command({
    name: "Service",
    method: "GET",
    path: "/v1/service",
    summary:
      "One service: its row, its processes with their ports, its latest requests, and what the guard refused.",
    answer: "the row, and `processes`, `denials` and `requests`",
    input: v.strictObject({ name }),
    changes: false,
    streams: false,
    run: ({ name }, backend) => detailOf(name, backend),
  }),
  command({
    name: "Requests",
    method: "GET",
    path: "/v1/requests",
    summary: "The latest requests through the proxy, the newest first.",
    answer: "an array of requests",
    input: v.strictObject({
      service: v.optional(name),
      limit: v.optional(
        v.pipe(
          v.number(),
          v.integer(),
          v.minValue(1),
          v.maxValue(mostRequests),
          v.description("the maximum number of requests"),
        ),
        100,
      ),
    }),
    changes: false,
    streams: false,
    run: ({ service, limit }, { traffic }) =>
      jsonForm(traffic.recent({ limit, ...(service === undefined ? {} : { service }) })),
  }),
  command({
    name: "Look",
    method: "GET",
    path: "/v1/look",
    summary:
      "Scans the machine now and reports everything found, for `ls`, `url`, `port` and `why`.",
    answer: "`{daemon, services, remotes, scan}`",
    input: v.strictObject({
      local: v.optional(
        v.pipe(
          v.boolean(),
          v.description("without other machines, whose connections are left as they are"),
        ),
      ),
      name: v.optional(
        v.pipe(
          v.string(),
          v.maxLength(253),
          v.description("if it is of another machine, waits for that one as a request would"),
        ),
      ),
    }),
    changes: false,
    streams: false,
    async run({ local, name }, backend) {
      await backend.look({ local, name });
      return jsonForm(sightOf(backend, { local }));
    },
  }),
  command({
    name: "Events",
    method: "GET",
    path: "/v1/events",
    summary: "A snapshot, then every event as it happens.",
    answer: "a stream of events; see [Events](#events)",
    input: v.strictObject({
      last_event_id: v.optional(
        v.pipe(
          v.string(),
          v.maxLength(64),
          v.description(
            "the id of the last event that was received; the stream continues after it",
          ),
        ),
      ),
    }),
    changes: false,
    streams: "sse",
    run:
      ({ last_event_id: lastId }, backend): Stream =>
      ({ next }) => {
        const leave = backend.attend();
        const tell = (event: DaemonEvent): void => next(jsonForm(event));
        const unfollow = backend.feed.follow(tell);
        const snapshot = () => snapshotOf(backend);
        for (const event of beginning(backend.feed, { lastId, snapshot })) tell(event);
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
    summary: "The output of services and the daemon's own log, ordered by time.",
    answer:
      "for each line `{time, service, stream, message}`; `open: true` on one without an end yet, which the next line of the same service and stream replaces, and which is sent again if it still stands (with an empty `message`: nothing does)",
    input: v.strictObject({
      service: v.optional(
        v.nullable(
          v.pipe(
            v.string(),
            v.maxLength(255),
            v.description("a service, as `shop:api` or `api`; `localhostess` is the daemon itself"),
          ),
        ),
      ),
      services: v.optional(
        v.pipe(
          v.array(v.pipe(v.string(), v.maxLength(255))),
          v.maxLength(10_000),
          v.description("several services; default: all services and the daemon"),
        ),
      ),
      project: v.optional(
        v.pipe(
          v.string(),
          v.maxLength(255),
          v.description("all services of the project with this name"),
        ),
      ),
      project_path: v.optional(
        v.pipe(
          v.string(),
          v.startsWith("/"),
          v.maxLength(4096),
          v.description("all services of the project in this folder"),
        ),
      ),
      mode: v.optional(
        v.pipe(
          v.picklist(["snapshot", "follow"]),
          v.description("`snapshot`: the lines so far; `follow`: new lines as well"),
        ),
        "snapshot",
      ),
      tail: v.optional(
        v.pipe(
          v.number(),
          v.integer(),
          v.minValue(0),
          v.maxValue(1_000_000_000),
          v.description("only this many of the lines so far, the newest"),
        ),
      ),
      since: v.optional(
        v.pipe(
          v.string(),
          v.maxLength(64),
          v.isoTimestamp("expected a time in ISO 8601, such as 2026-05-04T12:00:00.000Z"),
          v.description("only lines from this time on, such as `2026-05-04T12:00:00.000Z`"),
        ),
      ),
    }),
    changes: false,
    streams: "lines",
    run: (input, backend) => logStream(input, backend),
  }),
  command({
    name: "Attach",
    method: "POST",
    path: "/v1/attach",
    summary:
      "The terminal of a service that runs, or its pipes: its output, and what the client types.",
    answer: "lines in both directions; see [Attaching](#attaching)",
    input: v.strictObject({
      name: v.pipe(
        v.string(),
        v.minLength(1),
        v.maxLength(255),
        v.description("a service, as `shop:api` or `api`"),
      ),
      project_path: v.optional(
        v.pipe(
          v.string(),
          v.startsWith("/"),
          v.maxLength(4096),
          v.description("the folder of the project in which `name` is looked up first, absolute"),
        ),
      ),
      size: v.optional(
        v.pipe(
          sizeSchema,
          v.description("`cols` and `rows` of the client's terminal; default: the client has none"),
        ),
      ),
    }),
    changes: true,
    streams: "both",
    run: (input, backend) => attachDialogue(input, backend),
  }),
];
