/** The commands about projects: up, stop, restart and the registry, in the first locald's format. */
import * as v from "valibot";
import type { BootEvent } from "../../routes/project-report.ts";
import type { Brought } from "../../supervisor/project/bring-up.ts";
import type { ServiceBuild } from "../../supervisor/project/service-build.ts";
import type { Projects } from "../../supervisor/projects.ts";
import type { Cancel } from "../../system/clock.ts";
import { longestTimer } from "../../text/duration.ts";
import {
  type Backend,
  type Command,
  CommandError,
  command,
  nothing,
  ok,
  type Receiver,
  type Stream,
} from "./command.ts";

/** PATH_MAX of Linux. */
const longestPath = 4096;

/** Words as files have them, with dots between. */
const projectName =
  /^[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*$/;

const folder = v.pipe(
  v.string(),
  v.startsWith("/"),
  v.maxLength(longestPath),
  v.description("the project's folder, absolute"),
);

const name = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(255),
  v.description("a service as `shop:api` or `api`, or a project as `shop`"),
);

const env = v.pipe(
  v.record(v.string(), v.string()),
  v.description("the caller's shell environment; the daemon keeps it in memory only"),
);

function known({ projects }: Pick<Backend, "projects">): Projects {
  if (projects !== undefined) return projects;
  throw new CommandError("unsupported", "this daemon starts no services");
}

/** @throws CommandError */
async function idsOf(
  input: { name?: string | undefined; project_path?: string | undefined },
  projects: Projects,
): Promise<readonly string[]> {
  if (input.name === undefined && input.project_path === undefined) {
    throw new CommandError("bad_request", "name, or project_path, is missing");
  }
  const found = await projects.find(input.name, input.project_path);
  if (found.kind === "none") throw new CommandError("not_found", found.why);
  return found.ids;
}

/** Sends each event as it happens, and last the outcome. The work goes on if the receiver has gone. */
function bootStream(
  work: (hear: (event: BootEvent) => void) => Promise<Brought>,
  follow?: (receiver: Receiver) => Cancel,
): Stream {
  return (receiver) => {
    let here = true;
    const cancelFollow = follow?.(receiver);
    const leave = (): void => {
      here = false;
      cancelFollow?.();
    };
    work((event) => void (here && receiver.next(event))).then(
      (brought) => {
        if (!here) return;
        receiver.next(brought.kind === "ready" ? "Ok" : { Error: brought.reasons.join("\n") });
        leave();
        receiver.end();
      },
      (error: Error) => {
        if (!here) return;
        receiver.next({ Error: error.message });
        leave();
        receiver.end();
      },
    );
    return leave;
  };
}

/** Lines of a folder's services, from now on, as `Log` events. */
function bootLogs(projects: Projects, directory: string) {
  return ({ next }: Receiver): Cancel => {
    const cursors = new Map<string, number>();
    const idsHere = () => projects.snapshots().filter((its) => its.directory === directory);
    for (const { id } of idsHere()) cursors.set(id, projects.logs.of(id).next);
    return projects.logs.follow(() => {
      for (const { id } of idsHere()) {
        const log = projects.logs.of(id);
        const from = cursors.get(id) ?? 0;
        for (const { stream, text } of log.read(from, 1000)) {
          next({ type: "Log", data: { id, line: text, stream } } satisfies BootEvent);
        }
        cursors.set(id, log.next);
      }
    });
  };
}

const allowed = (): undefined => undefined;

/** A session of the page restarts services as they were brought up: same environment, same commands. */
function asBefore({ env: shell }: { env?: unknown }): string | undefined {
  return shell === undefined
    ? undefined
    : "the page may not give an environment; the command line does";
}

export const projectCommands: readonly Command[] = [
  command({
    name: "Start",
    method: "POST",
    path: "/v1/start",
    summary:
      "Reads a project's files and brings the project up, dependencies first. The start continues if the client disconnects.",
    answer:
      'for each step `{type, data}`: `StepStarted {id, description}`, `StepProgress {id, message}`, `StepFinished {id, result}`, and with `verbose` `Log {id, line, stream}`; last `"Ok"`, or `{"error"}` with one reason per line; by IPC `{"Error"}`',
    input: v.strictObject({
      project_path: folder,
      file: v.optional(
        v.pipe(
          v.string(),
          v.minLength(1),
          v.maxLength(255),
          v.regex(/^[^/\0]+$/, "expected the name of a file in the folder"),
          v.description(
            "the file in the folder that declares the project: a `.toml`, or a Procfile of any other name; by default locald.toml, Procfile.dev or Procfile",
          ),
        ),
      ),
      name: v.optional(
        v.nullable(
          v.pipe(
            v.string(),
            v.minLength(1),
            v.maxLength(255),
            v.regex(projectName, "expected a project's name, such as shop or review.shop"),
            v.description(
              "the project's name in this folder from now on, whatever its files say; null: as they say",
            ),
          ),
        ),
      ),
      verbose: v.optional(
        v.pipe(v.boolean(), v.description("also the output of the services")),
        false,
      ),
      env: v.optional(env),
      services: v.optional(
        v.pipe(
          v.array(v.pipe(v.string(), v.maxLength(255))),
          v.maxLength(10_000),
          v.description("only these services and their dependencies"),
        ),
      ),
      profiles: v.optional(
        v.pipe(
          v.array(v.pipe(v.string(), v.maxLength(255))),
          v.maxLength(1_000),
          v.description("of the whole project, also the services with one of these profiles"),
        ),
      ),
      restart: v.optional(
        v.pipe(v.boolean(), v.description("restart services that are running")),
        false,
      ),
      tasks: v.optional(
        v.pipe(v.boolean(), v.description("run tasks again, also completed ones")),
        false,
      ),
      patience: v.optional(
        v.pipe(
          v.number(),
          v.minValue(0),
          v.maxValue(longestTimer),
          v.description(
            "milliseconds to wait for a service that runs, is not ready, and has no start_timeout; 60000 by default",
          ),
        ),
      ),
    }),
    changes: true,
    // `up` accepts what the files say now, in a folder that may be new to us: only somebody who has read them may.
    session: () => "the page may not; localhostess up does",
    streams: "lines",
    run({ project_path: directory, file, verbose, env: shell, services, ...asked }, backend) {
      const projects = known(backend);
      return bootStream(
        (hear) => projects.up({ directory, file, names: services, shell, ...asked, hear }),
        verbose ? bootLogs(projects, directory) : undefined,
      );
    },
  }),
  command({
    name: "Stop",
    method: "POST",
    path: "/v1/stop",
    summary:
      "Stops a service, or a whole project, dependents first. Answers when no process is left.",
    answer: '`{"ok":true}`; by IPC `"Ok"`',
    input: v.strictObject({ name: v.optional(name), project_path: v.optional(folder) }),
    changes: true,
    session: allowed,
    streams: false,
    async run(input, backend) {
      const projects = known(backend);
      await projects.stop(await idsOf(input, projects));
      return ok;
    },
    reply: () => "Ok",
  }),
  command({
    name: "Restart",
    method: "POST",
    path: "/v1/restart",
    summary:
      "Restarts a service, or all running services of a project, and the dependents that restart with them.",
    answer:
      '`"Ok"` when all are ready, or `{"error"}` with one reason per line, by IPC `{"Error"}`; with `env`, the steps as in `Start` first',
    input: v.strictObject({
      name: v.optional(name),
      project_path: v.optional(folder),
      env: v.optional(env),
    }),
    changes: true,
    session: asBefore,
    streams: "lines",
    async run({ env: shell, ...input }, backend) {
      const projects = known(backend);
      const ids = await idsOf(input, projects);
      return bootStream((hear) =>
        // The first locald's clients send no environment, and read a single reply.
        projects.restart(ids, { shell, hear: shell === undefined ? () => {} : hear }),
      );
    },
  }),
  command({
    name: "Resume",
    method: "POST",
    path: "/v1/resume",
    summary:
      "Starts the services of a project that was up, as its last `up` approved them. Running services go on.",
    answer:
      '`"Ok"` when all are ready, or `{"error"}` with one reason per line; by IPC `{"Error"}`',
    input: v.strictObject({ project_path: folder }),
    changes: true,
    session: allowed,
    streams: "lines",
    run({ project_path: directory }, backend) {
      const projects = known(backend);
      return bootStream(() => projects.resume(directory, { hear: () => {} }));
    },
  }),
  command({
    name: "StopAll",
    method: "POST",
    path: "/v1/stop-all",
    summary: "Stops all services of all projects.",
    answer: '`{"ok":true}`; by IPC `"Ok"`',
    input: nothing,
    changes: true,
    session: allowed,
    streams: false,
    async run(_, backend) {
      const projects = known(backend);
      await projects.stop(await projects.ids());
      return ok;
    },
    reply: () => "Ok",
  }),
  command({
    name: "RestartAll",
    method: "POST",
    path: "/v1/restart-all",
    summary: "Restarts all running services.",
    answer:
      '`"Ok"` when all are ready, or `{"error"}` with one reason per line; by IPC `{"Error"}`',
    input: nothing,
    changes: true,
    session: allowed,
    streams: "lines",
    async run(_, backend) {
      const projects = known(backend);
      const all = await projects.ids();
      const running = new Set(
        projects.snapshots().flatMap(({ id, pid }) => (pid === undefined ? [] : [id])),
      );
      const ids = all.filter((id) => running.has(id));
      return bootStream(() => projects.restart(ids, { shell: undefined, hear: () => {} }));
    },
  }),
  command({
    name: "GetServiceEnv",
    method: "POST",
    path: "/v1/service-env",
    summary:
      "The variables that a service gets in addition to its shell's, from the files as they are now.",
    answer: 'an object of variables; by IPC `{"ServiceEnv": {...}}`',
    input: v.strictObject({ name, project_path: v.optional(folder), env: v.optional(env) }),
    changes: true,
    streams: false,
    async run({ name: wanted, project_path: directory, env: shell }, backend) {
      const projects = known(backend);
      const found = await projects.envOf(wanted, { directory, shell });
      if (found.kind === "env") return found.env;
      throw new CommandError("not_found", found.why);
    },
    reply: (variables: Record<string, string>) => ({ ServiceEnv: variables }),
  }),
  command({
    name: "GetBuilds",
    method: "POST",
    path: "/v1/builds",
    summary:
      "How services are built, from the files as they are now: `name` is a service or a project; without it, all services of the folder's project.",
    answer:
      'an array of `{service, env, order}` in the order in which they are to be built; by IPC `{"Builds": [...]}`. `order` is for the program of this daemon alone',
    input: v.strictObject({
      name: v.optional(name),
      project_path: v.optional(folder),
      env: v.optional(env),
    }),
    changes: true,
    streams: false,
    async run({ name: wanted, project_path: directory, env: shell }, backend) {
      if (wanted === undefined && directory === undefined) {
        throw new CommandError("bad_request", "name, or project_path, is missing");
      }
      const found = await known(backend).buildsOf(wanted, { directory, shell });
      if (found.kind === "builds") return found.builds;
      throw new CommandError("not_found", found.why);
    },
    reply: (builds: readonly ServiceBuild[]) => ({ Builds: builds }),
  }),
  command({
    name: "RegistryList",
    method: "GET",
    path: "/v1/registry",
    summary: "All projects that have been up, the most recent first.",
    answer:
      "an array of `{path, name, pinned, last_seen, folder}`; `folder` is `here`, `replaced`, `gone` or `unmounted`",
    input: nothing,
    changes: false,
    streams: false,
    async run(_, backend) {
      return await known(backend).registered();
    },
  }),
  pinCommand({
    name: "RegistryPin",
    path: "/v1/registry-pin",
    summary: "Brings the project up whenever the daemon starts.",
    pinned: true,
  }),
  pinCommand({
    name: "RegistryUnpin",
    path: "/v1/registry-unpin",
    summary: "No longer brings the project up with the daemon. Running services continue.",
    pinned: false,
  }),
  command({
    name: "RegistryClean",
    method: "POST",
    path: "/v1/registry-clean",
    summary: "Forgets projects whose folder no longer exists, except pinned ones.",
    answer: 'the number of projects, as `{"cleaned"}`; by IPC `{"RegistryCleaned": 2}`',
    input: nothing,
    changes: true,
    streams: false,
    async run(_, backend) {
      return { cleaned: await known(backend).clean() };
    },
    reply: ({ cleaned }: { cleaned: number }) => ({ RegistryCleaned: cleaned }),
  }),
  command({
    name: "RegistryForget",
    method: "POST",
    path: "/v1/registry-forget",
    summary:
      "Forgets a project that is not up, or whose folder no longer exists: its pin, what was approved, its ports and its logs.",
    answer: '`{name, path}`; by IPC `{"RegistryForgotten": {name, path}}`',
    input: v.strictObject({
      name: v.pipe(
        v.string(),
        v.minLength(1),
        v.maxLength(longestPath),
        v.description("a project"),
      ),
      project_path: v.optional(folder),
    }),
    changes: true,
    streams: false,
    async run({ name: project, project_path: directory }, backend) {
      const done = await known(backend).forget(project, directory);
      if (done.kind === "none") throw new CommandError("not_found", done.why);
      return { name: done.name, path: done.path };
    },
    reply: (forgotten: object) => ({ RegistryForgotten: forgotten }),
  }),
  command({
    name: "RegistryFollow",
    method: "POST",
    path: "/v1/registry-follow",
    summary:
      "Goes on with a project whose folder was moved to this path. Nothing is started or stopped.",
    answer: '`{from}`, the path where it was, or null; by IPC `{"RegistryFollowed": {from}}`',
    input: v.strictObject({ project_path: folder }),
    changes: true,
    streams: false,
    async run({ project_path: directory }, backend) {
      return { from: (await known(backend).follow(directory)) ?? null };
    },
    reply: (followed: object) => ({ RegistryFollowed: followed }),
  }),
];

type PinCommand = { name: string; path: string; summary: string; pinned: boolean };

function pinCommand({ pinned, ...described }: PinCommand): Command {
  return command({
    ...described,
    method: "POST",
    answer: '`{"ok":true}`; by IPC `"Ok"`',
    input: v.strictObject({ project_path: folder }),
    changes: true,
    streams: false,
    async run({ project_path: directory }, backend) {
      if (await known(backend).pin(directory, pinned)) return ok;
      throw new CommandError(
        "not_found",
        `no project is known in ${directory}; localhostess up makes it known, and for those that are: localhostess registry list`,
      );
    },
    reply: () => "Ok",
  });
}
