/** The commands about the data of managed stores: where it is, copies of it, and its end. */
import * as v from "valibot";
import { jsonForm } from "../../routes/json-form.ts";
import type { BootEvent } from "../../routes/project-report.ts";
import type { Started } from "../../supervisor/project/boot.ts";
import type { Store } from "../../supervisor/store-sight.ts";
import type { Projects } from "../../supervisor/projects.ts";
import { type Backend, type Command, CommandError, command, nothing, ok } from "./command.ts";
import type { Stream } from "./command.ts";

/** PATH_MAX of Linux. */
const longestPath = 4096;

const folder = v.pipe(
  v.string(),
  v.startsWith("/"),
  v.maxLength(longestPath),
  v.description("the project's folder, absolute"),
);

const name = v.optional(
  v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(255),
    v.description(
      "a service as `shop:db` or `db`; without one, the only store of the project in `project_path`",
    ),
  ),
);

const env = v.optional(
  v.pipe(
    v.record(v.string(), v.string()),
    v.description("the caller's shell environment, for references to it"),
  ),
);

const replaces = v.optional(
  v.pipe(v.boolean(), v.description("data that is there already may be replaced")),
  false,
);

const which = { name, project_path: v.optional(folder), env };

type Which = {
  name?: string | undefined;
  project_path?: string | undefined;
  env?: Readonly<Record<string, string>> | undefined;
};

function known({ projects }: Pick<Backend, "projects">): Projects {
  if (projects !== undefined) return projects;
  throw new CommandError("unsupported", "this daemon starts no services");
}

/** @throws CommandError */
async function storeOf(
  { name: wanted, project_path: directory, env: shell }: Which,
  backend: Backend,
) {
  if (wanted === undefined && directory === undefined) {
    throw new CommandError("bad_request", "name, or project_path, is missing");
  }
  const found = await known(backend).storeOf(wanted, { directory, shell });
  if (found.kind === "none") throw new CommandError("not_found", found.why);
  return found.store;
}

type Work = { hear(event: BootEvent): void; isOver(): boolean };

/** The steps, and last the outcome. `isOver` is true once the receiver has gone. */
function workStream(work: (work: Work) => Promise<Started>): Stream {
  return (receiver) => {
    let here = true;
    const last = (value: unknown): void => {
      if (!here) return;
      receiver.next(value);
      here = false;
      receiver.end();
    };
    work({ hear: (event) => void (here && receiver.next(event)), isOver: () => !here }).then(
      (done) => last(done.kind === "ready" ? "Ok" : { Error: done.reasons.join("\n") }),
      (error: Error) => last({ Error: error.message }),
    );
    return () => {
      here = false;
    };
  };
}

const steps =
  '`StepStarted`, `StepProgress` and `StepFinished` as in `Start`; last `"Ok"`, or `{"error"}`; by IPC `{"Error"}`';

/** A store, as other programs see it. `url` and `variables` hold its password. */
async function sightOf(store: Store, projects: Projects) {
  const { id, at, type, version, place, gift } = store;
  const { project, unit } = at;
  const its = projects.snapshots().find((one) => one.id === id);
  const { name: ofProject, directory, checkout } = project.spec;
  return {
    ...{ id, project: ofProject, directory, service: unit.spec.name, type },
    version: version ?? null,
    label: checkout?.label ?? null,
    state: its?.state ?? "stopped",
    url: gift.fields.url ?? null,
    variables: gift.variables,
    folder: place.folder,
    size: (await projects.stores.sizeOf(store)) ?? null,
  };
}

export type StoreReport = Awaited<ReturnType<typeof sightOf>>;

export const storeCommands: readonly Command[] = [
  command({
    name: "Store",
    method: "POST",
    path: "/v1/store",
    summary: "A managed store of a project, whether it runs or not, with its password.",
    answer:
      "`{id, project, directory, service, type, version, label, state, url, variables, folder, size}`; `label` is that of its worktree, or null; `size` is null where it has no data yet",
    input: v.strictObject(which),
    changes: true,
    streams: false,
    async run(input, backend) {
      const projects = known(backend);
      return await sightOf(await storeOf(input, backend), projects);
    },
  }),
  command({
    name: "Stores",
    method: "GET",
    path: "/v1/stores",
    summary: "All stores that have data, of all projects, also of those that are gone.",
    answer:
      "an array of `{project, directory, service, store, folder, size, worktree, left, is_there}`; `left` is when its project was forgotten, or null; `is_there` says whether the project's folder is there",
    input: nothing,
    changes: false,
    streams: false,
    async run(_, backend) {
      const all = await known(backend).stores.kept();
      return jsonForm(
        all.map(({ left, isThere, ...its }) => ({
          ...its,
          left: left === undefined ? null : new Date(left).toISOString(),
          isThere,
        })),
      );
    },
  }),
  command({
    name: "Reset",
    method: "POST",
    path: "/v1/reset",
    summary:
      "Removes the data of a store. One that was up starts again with an empty one and the same password, and tasks that were completed on the former run again.",
    answer: `with \`env\`, ${steps}`,
    input: v.strictObject(which),
    changes: true,
    streams: "lines",
    async run(input, backend) {
      const { stores } = known(backend);
      const store = await storeOf(input, backend);
      return workStream(({ hear, ...work }) =>
        // The first locald's clients send no environment, and read a single reply.
        stores.reset(store, { ...work, hear: input.env === undefined ? () => {} : hear }),
      );
    },
  }),
  command({
    name: "StoreFork",
    method: "POST",
    path: "/v1/store-fork",
    summary:
      "Copies the data of a store to the same service of another checkout. The store is down while it is copied, and the other one while the copy takes its place.",
    answer: steps,
    input: v.strictObject({
      ...which,
      to_path: v.pipe(folder, v.description("the folder of the other checkout's project")),
      replaces,
    }),
    changes: true,
    streams: "lines",
    async run({ to_path: other, replaces: may, ...input }, backend) {
      const { stores } = known(backend);
      const from = await storeOf(input, backend);
      const { name: service } = from.at.unit.spec;
      const to = await storeOf({ name: service, project_path: other, env: input.env }, backend);
      return workStream((work) => stores.fork(from, { to, replaces: may, ...work }));
    },
  }),
  command({
    name: "StoreSnapshot",
    method: "POST",
    path: "/v1/store-snapshot",
    summary:
      "Copies the data of a store, which is down meanwhile, to a folder that is there until the client disconnects.",
    answer:
      'steps as in `Start`, then `{folder}`, and nothing more; `{"error"}`; by IPC `{"Error"}`',
    input: v.strictObject(which),
    changes: true,
    streams: "lines",
    async run(input, backend) {
      const { stores } = known(backend);
      const store = await storeOf(input, backend);
      return snapshotStream((work) => stores.snapshot(store, work));
    },
  }),
  command({
    name: "StoreStage",
    method: "POST",
    path: "/v1/store-stage",
    summary: "Makes an empty folder, in which the client puts what `StoreReplace` takes.",
    answer: "`{folder}`",
    input: v.strictObject(which),
    changes: true,
    streams: false,
    async run(input, backend) {
      const { stores } = known(backend);
      return { folder: stores.stage(await storeOf(input, backend)) };
    },
  }),
  command({
    name: "StoreReplace",
    method: "POST",
    path: "/v1/store-replace",
    summary:
      "Puts what is in a folder of `StoreStage` in the place of a store's data, in one step: `data`, and `localhostess.json` with its type and version.",
    answer: steps,
    input: v.strictObject({
      ...which,
      folder: v.pipe(folder, v.description("the folder")),
      replaces,
    }),
    changes: true,
    streams: "lines",
    async run({ folder: staged, replaces: may, ...input }, backend) {
      const { stores } = known(backend);
      const store = await storeOf(input, backend);
      return workStream((work) =>
        stores.replace(store, { folder: staged, replaces: may, ...work }),
      );
    },
  }),
  command({
    name: "StoreRemove",
    method: "POST",
    path: "/v1/store-remove",
    summary: "Removes the data of all stores of a project that is not up.",
    answer: '`{"ok":true}`; by IPC `"Ok"`',
    input: v.strictObject({ project_path: folder }),
    changes: true,
    streams: false,
    async run({ project_path: directory }, backend) {
      const why = await known(backend).removeStores(directory);
      if (why !== undefined) throw new CommandError("unsupported", why);
      return ok;
    },
    reply: () => "Ok",
  }),
];

type Snapshot = { folder: string; remove(): Promise<void> };

/** The folder is removed when the receiver has gone, or when the daemon ends. */
function snapshotStream(work: (work: Work) => Promise<Snapshot>): Stream {
  return (receiver) => {
    let here = true;
    let made: Snapshot | undefined;
    work({ hear: (event) => void (here && receiver.next(event)), isOver: () => !here }).then(
      (snapshot) => {
        made = snapshot;
        if (here) receiver.next({ folder: snapshot.folder });
        else void snapshot.remove();
      },
      (error: Error) => {
        if (!here) return;
        here = false;
        receiver.next({ Error: error.message });
        receiver.end();
      },
    );
    return () => {
      here = false;
      void made?.remove();
    };
  };
}
