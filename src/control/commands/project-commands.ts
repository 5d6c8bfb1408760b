/** The commands about projects: brought up, stopped, restarted, registered; in the first locald's words. */
import * as v from "valibot";
import type { BootEvent } from "../../routes/project-report.ts";
import type { Brought } from "../../supervisor/project/bring-up.ts";
import type { Projects } from "../../supervisor/projects.ts";
import type { Cancel } from "../../system/clock.ts";
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
  v.description("the environment of the shell that asks; it is kept in memory only"),
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

/** What happens goes out as it happens, and last how it ended. That the receiver has gone changes nothing of it. */
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

/** A session of the page starts again what somebody has brought up, with the environment and the commands of then. */
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
      "Reads a project's files and brings it up, with what it depends on first. It goes on when the client is gone.",
    answer:
      'a line each: `{type, data}` with `StepStarted {id, description}`, `StepProgress {id, message}`, `StepFinished {id, result}`, with `verbose` `Log {id, line, stream}`; last `"Ok"`, or `{"Error"}` with a reason a line',
    input: v.strictObject({
      project_path: folder,
      verbose: v.optional(
        v.pipe(v.boolean(), v.description("what the services print meanwhile, too")),
        false,
      ),
      env: v.optional(env),
      services: v.optional(
        v.pipe(
          v.array(v.pipe(v.string(), v.maxLength(255))),
          v.maxLength(10_000),
          v.description("only these, and what they depend on"),
        ),
      ),
      restart: v.optional(v.pipe(v.boolean(), v.description("what runs is started anew")), false),
    }),
    changes: true,
    // It takes what the files say now, and a folder that may be new to us: that is for who has read them.
    session: () => "the page may not; localhostess up does",
    streams: "lines",
    run({ project_path: directory, verbose, env: shell, services, restart }, backend) {
      const projects = known(backend);
      return bootStream(
        (hear) => projects.up({ directory, names: services, shell, restart, hear }),
        verbose ? bootLogs(projects, directory) : undefined,
      );
    },
  }),
  command({
    name: "Stop",
    method: "POST",
    path: "/v1/stop",
    summary:
      "Ends a service, or all of a project, dependents first; answers when nothing of it is left.",
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
      "Ends a service, or all of a project that runs, and starts it again; with those that are restarted with it.",
    answer:
      '`"Ok"` when it is ready, or `{"Error"}` with a reason a line; with `env`, the lines of `Start` before',
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
        // The first locald's clients send no environment, and read one word.
        projects.restart(ids, { shell, hear: shell === undefined ? () => {} : hear }),
      );
    },
  }),
  command({
    name: "StopAll",
    method: "POST",
    path: "/v1/stop-all",
    summary: "Ends all services of all projects.",
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
    summary: "Ends all services that run, and starts them again.",
    answer: '`"Ok"` when they are ready, or `{"Error"}` with a reason a line',
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
      "The environment that a service has on top of its shell's, with the files as they are now.",
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
    name: "RegistryList",
    method: "GET",
    path: "/v1/registry",
    summary: "The projects that were ever up, the last one first.",
    answer: "an array of `{path, name, pinned, last_seen}`",
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
    summary: "From now on the project comes up with the daemon.",
    pinned: true,
  }),
  pinCommand({
    name: "RegistryUnpin",
    path: "/v1/registry-unpin",
    summary: "The project comes up with the daemon no more; what runs goes on.",
    pinned: false,
  }),
  command({
    name: "RegistryClean",
    method: "POST",
    path: "/v1/registry-clean",
    summary: "Forgets projects whose folder is gone, but no pinned ones.",
    answer: 'how many, as `{"cleaned"}`; by IPC `{"RegistryCleaned": 2}`',
    input: nothing,
    changes: true,
    streams: false,
    async run(_, backend) {
      return { cleaned: await known(backend).clean() };
    },
    reply: ({ cleaned }: { cleaned: number }) => ({ RegistryCleaned: cleaned }),
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
      throw new CommandError("not_found", `no project is known in ${directory}`);
    },
    reply: () => "Ok",
  });
}
