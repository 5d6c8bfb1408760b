/** The commands about services, whoever started them: what runs, what was asked of it, what happens, what is printed. */
import * as v from "valibot";
import { type Command, command, nothing, type Stream } from "./command.ts";
import { beginning } from "./events.ts";
import { logStream } from "./log-stream.ts";
import { detailOf, reports, sightOf, snapshotOf } from "./reports.ts";
import { statusRows } from "./status.ts";

const name = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(255),
  v.description("a service's name, without .localhost"),
);

/** What is remembered at all. */
const mostRequests = 1000;

export const serviceCommands: readonly Command[] = [
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
];
