/** The folder of an app, and a builder image -> an image in the engine, made by that builder's own lifecycle. */
import { randomBytes } from "node:crypto";
import type { BuilderBuild } from "../../manifest/types/own.ts";
import type { Clock } from "../../system/clock.ts";
import { printablePath } from "../../text/printable.ts";
import { shownSize } from "../../text/size.ts";
import type { Engine } from "../runs/choose-engine.ts";
import { runLabels, volumeName, wordOf } from "../runs/container-body.ts";
import { type ContainerPlan, labelNames, type RunLabels } from "../runs/container-plan.ts";
import { type Called, engineCall } from "../runs/engine-calls.ts";
import { type Built, type ImageFor, namedImage } from "../runs/image-for.ts";
import { type OneOff, OneOffRun } from "../runs/one-off.ts";
import { findImage, inspectImage } from "../runs/pull-image.ts";
import { type AppFiles, readApp } from "./app-files.ts";
import {
  cacheLabels,
  makeCache,
  removeBuilds,
  removeCaches,
  removeTag,
  tagsOf,
} from "../runs/build-leftovers.ts";
import { type BuilderImage, readBuilder } from "./builder-image.ts";
import { builderOrder, describedOrder } from "./builder-order.ts";
import { CreatorOutput, endingText, unstartedText } from "./creator-output.ts";
import {
  buildVariables,
  type BuildVariables,
  cacheFolders,
  creatorProgram,
  creatorWords,
  socketInside,
} from "./creator-words.ts";
import { archiveDigest, type FolderArchive, Unsendable } from "./folder-archive.ts";
import { type FolderBuildpack, folderBuildpacks } from "./folder-buildpacks.ts";
import { type EngineFacts, engineFacts, isSameArchitecture } from "./mounted-socket.ts";
import { textArchive } from "./text-archive.ts";

export type BuilderBuildOptions = {
  engine: Engine;
  build: BuilderBuild;
  pull: ContainerPlan["spec"]["pull"];
  /** The image's name without a tag, which is ours alone: `localhostess/shop-1f2e3d4c-web`. */
  name: string;
  project: string;
  labels: RunLabels;
  /** As if nothing had been built before. */
  clean: boolean;
  /** Variables of the person's shell. */
  person: Readonly<Record<string, string | undefined>>;
  /** Those of the file. */
  declared: Readonly<Record<string, string>>;
  clock: Clock;
  signal: AbortSignal;
  /** Keeps in mind that containers of ours may be there, before there is one. */
  noteEngine(socket: string): Promise<void>;
  /** `building: restoring`. */
  onProgress(text: string): void;
  /** A line of the build's output. */
  say(line: string): void;
};

/** Milliseconds for the whole app to be sent. */
const longestSending = 30 * 60_000;
/** Digits of what an image was made from, which are its tag. */
const keyLength = 16;
const keyForm = /^[0-9a-f]{16}$/;
/** Inside, and relative to the root there. */
const orderFile = "localhostess/order.toml";

/**
 * The image's tag is a key of all that it is made from, so that one that is there already is the result. Another one
 * stays until a build has succeeded. Never rejects, but for our own faults.
 */
export async function builtByBuilder(options: BuilderBuildOptions): Promise<Built> {
  const { build, name, clean, person, declared, say, onProgress } = options;
  onProgress("building: reading its files");
  const read = await readApp(build.context, { note: say });
  if (read.kind === "bad") return failed(read.why);
  const { app } = read;
  const images = await imagesOf(options);
  if (images.kind !== "images") return images;
  const { builder, runImage } = images;
  const { descriptor } = app;
  // Names in the service take the place of all that project.toml names.
  const isOwn = build.buildpacks.length > 0;
  const [wanted, pre, post] = isOwn
    ? [build.buildpacks, [], []]
    : [descriptor.group, descriptor.pre, descriptor.post].map(describedOrder);
  const named = [...pre!, ...wanted!, ...post!];
  const directory = isOwn ? options.labels.directory : build.context;
  const added = await folderBuildpacks(named, { directory, note: say });
  if (added.kind === "bad") return failed(added.why);
  const order = builderOrder({
    ...{ wanted: wanted!, pre: pre!, post: post!, own: builder },
    ...{ added: added.found, builder: build.builder },
  });
  if (order.kind === "bad") return failed(order.why);
  const described = Object.fromEntries(descriptor.env.map((its) => [its.name, its.value]));
  const variables = buildVariables(builder, { person, declared: { ...described, ...declared } });
  const made = await keyOf({
    ...{ app, added: added.found },
    from: {
      ...{ builder: builder.id, runImage, api: builder.api, order: order.toml },
      variables: { ...described, ...declared },
    },
  });
  if (made.kind === "failed") return made;
  const at = atOf(options);
  const image = `${name}:${made.key}`;
  const before = clean ? { kind: "absent" as const } : await findImage(at, image);
  if (before.kind === "image") return { kind: "built", id: before.image.id, ran: false };
  for (const note of variables.notes) say(note);
  const done = await ran(options, {
    ...{ app, added: added.found, builder, variables, image, order: order.toml },
  });
  if (done !== undefined) return done;
  const after = await findImage(at, image);
  if (options.signal.aborted) return { kind: "cancelled" };
  if (after.kind !== "image") {
    const why = after.kind === "absent" ? "there is no image" : after.why;
    return failed(`${build.builder} has ended without a failure, and ${why}`, { passing: true });
  }
  for (const tag of (await tagsOf(at, name)) ?? []) {
    if (tag !== made.key) await removeTag(at, `${name}:${tag}`);
  }
  return { kind: "built", id: after.image.id, ran: true };
}

type Images =
  { kind: "images"; builder: BuilderImage; runImage: string } | Exclude<Built, { kind: "built" }>;

/** Both are pulled as the file says. */
async function imagesOf(options: BuilderBuildOptions): Promise<Images> {
  const { build, pull, onProgress, ...rest } = options;
  const naming = { ...rest, status: onProgress };
  const found = await namedImage({ image: build.builder, pull, what: "builder" }, naming);
  if (found.kind !== "image") return notThere(found, build.builder);
  const inspected = await inspectImage(atOf(options), found.image.id);
  if (options.signal.aborted) return { kind: "cancelled" };
  if (inspected.kind !== "value") {
    const why = inspected.kind === "absent" ? "it has just been removed" : inspected.why;
    return failed(`its builder ${build.builder} cannot be read: ${why}`, { passing: true });
  }
  const read = readBuilder(inspected.value, { name: build.builder });
  if (read.kind === "bad") return failed(read.why);
  const { runImage } = read.builder;
  const run = await namedImage({ image: runImage, pull, what: "run image" }, naming);
  if (run.kind !== "image") return notThere(run, runImage);
  return { kind: "images", builder: read.builder, runImage: run.image.id };
}

function notThere(
  found: Exclude<ImageFor, { kind: "image" }>,
  image: string,
): Exclude<Built, { kind: "built" }> {
  if (found.kind === "cancelled") return found;
  const once = `pull it once while its registry can be reached: docker pull ${image}`;
  return failed(`${found.why}; ${once}`, { passing: found.passing });
}

type Key = { kind: "key"; key: string } | Extract<Built, { kind: "failed" }>;

/** `from`: whatever else it is made from. */
async function keyOf({
  app,
  added,
  from,
}: Pick<Run, "app" | "added"> & { from: object }): Promise<Key> {
  try {
    const buildpacks: string[] = [];
    for (const its of added) buildpacks.push(await archiveDigest(its.archiveIn("")));
    const text = JSON.stringify({ ...from, buildpacks, files: await app.digest() });
    const hash = new Bun.CryptoHasher("sha256").update(text).digest("hex");
    return { kind: "key", key: hash.slice(0, keyLength) };
  } catch (error) {
    if (error instanceof Unsendable) return failed(error.message);
    throw error;
  }
}

type Run = {
  app: AppFiles;
  added: readonly FolderBuildpack[];
  builder: BuilderImage;
  variables: BuildVariables;
  image: string;
  order: string | undefined;
};

/** Undefined: its lifecycle has ended well. */
async function ran(
  options: BuilderBuildOptions,
  its: Run,
): Promise<Exclude<Built, { kind: "built" }> | undefined> {
  const { engine, build, name, project, labels, clean, clock, signal, onProgress, say } = options;
  const at = atOf(options);
  const facts = await engineFacts(at, { engine, platform: process.platform });
  const { builder } = its;
  const isOther =
    builder.architecture !== undefined &&
    facts.architecture !== undefined &&
    !isSameArchitecture(builder.architecture, facts.architecture);
  if (isOther) {
    const how = `runs only where the engine translates it`;
    say(
      `${build.builder} is for ${builder.architecture}, and ${how}: this one is ${facts.architecture}`,
    );
  }
  await options.noteEngine(engine.socket);
  await removeBuilds(at, labels);
  if (clean) await removeCaches(at, cacheLabels(labels));
  const word = wordOf(labels.service);
  const caches = {
    cache: volumeName({ project, labels }, `builds.${word}.cache`),
    launch: volumeName({ project, labels }, `builds.${word}.launch`),
  };
  for (const cache of Object.values(caches)) {
    const trouble = await makeCache(at, { name: cache, labels: cacheLabels(labels) });
    if (trouble !== undefined) return failed(trouble, { passing: true });
  }
  const tags = (await tagsOf(at, name))?.filter((tag) => keyForm.test(tag)) ?? [];
  const previous = clean || tags[0] === undefined ? undefined : `${name}:${tags[0]}`;
  const output = new CreatorOutput({
    line: say,
    phase: (phase) => onProgress(`building: ${phase}`),
  });
  const order = its.order === undefined ? undefined : `/${orderFile}`;
  const words = creatorWords({ ...its, runImage: builder.runImage, previous, order, clean });
  const run = new OneOffRun(
    {
      ...{ image: builder.id, words, env: its.variables.env, ports: [], tty: false, input: false },
      ...containerOf({ facts, labels, caches, folders: builder.folders }),
      name: `${volumeName({ project, labels }, "builds")}-${word}-${randomBytes(4).toString("hex")}`,
    },
    {
      ...{ engine, clock, onProgress },
      onStart: () => onProgress("building"),
      onOutput: (stream, bytes) => output.take(stream, bytes),
      fill: (id) => filled(id, { options, its }),
    },
  );
  const stop = (): void => run.stop();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  onProgress("building: making its container");
  const end = await run.run();
  signal.removeEventListener("abort", stop);
  output.end();
  if (signal.aborted || end.kind === "stopped") return { kind: "cancelled" };
  const folder = printablePath(build.context);
  if (end.kind === "exited") {
    if (end.code === 0) return undefined;
    const why = endingText({ code: end.code, output, builder: build.builder, folder });
    return failed(why);
  }
  return failed(unstartedText(end.why, { builder: build.builder, socket: facts.socket }), {
    passing: true,
  });
}

/** Root inside, which gives up its rights to the build's user: it has to use the engine's socket first. */
function containerOf({
  facts,
  labels,
  caches,
  folders,
}: {
  facts: EngineFacts;
  labels: RunLabels;
  caches: { cache: string; launch: string };
  folders: BuilderImage["folders"];
}): Pick<
  OneOff,
  "entrypoint" | "user" | "folders" | "volumes" | "labels" | "stopTimeout" | "host"
> {
  const named = { kind: "named", readOnly: false } as const;
  return {
    ...{ entrypoint: [creatorProgram], user: "0:0", folders: [folders.app, folders.layers] },
    volumes: [
      { ...named, source: caches.cache, target: cacheFolders.cache },
      { ...named, source: caches.launch, target: cacheFolders.launch },
      { kind: "bind", readOnly: false, source: facts.socket, target: socketInside },
    ],
    labels: { ...runLabels(labels), [labelNames.builds]: "yes" },
    stopTimeout: 0,
    host: {
      // Where SELinux keeps containers from sockets of this machine.
      SecurityOpt: ["label=disable"],
      ...(facts.hasOtherUsers ? { UsernsMode: "host" } : {}),
    },
  };
}

/** The app, the platform's variables, and an order of our own, where they belong. A sentence where that failed. */
async function filled(
  id: string,
  { options, its }: { options: BuilderBuildOptions; its: Run },
): Promise<string | undefined> {
  const { build, clock, signal, onProgress } = options;
  const { builder, app, variables, order } = its;
  let size = 0;
  let fault: unknown;
  async function* sent({ archive }: FolderArchive): AsyncGenerator<Uint8Array> {
    try {
      for await (const bytes of archive()) {
        size += bytes.length;
        yield bytes;
      }
    } catch (error) {
      fault = error;
      throw error;
    }
  }
  const cancel = clock.every(1000, () => onProgress(`building: ${shownSize(size)} sent`));
  const put = (path: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<Called> =>
    engineCall(options.engine.socket, {
      ...{ method: "PUT", path: `/containers/${id}/archive?path=${encodeURIComponent(path)}` },
      ...{ body, clock, signal, deadline: longestSending },
    });
  const folder = builder.folders.platform.replace(/^\//, "");
  const texts = Object.fromEntries(
    Object.entries(variables.platform)
      .filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      .map(([name, value]) => [`${folder}/env/${name}`, value]),
  );
  if (order !== undefined) texts[orderFile] = order;
  const inside = builder.folders.buildpacks.replace(/^\//, "");
  const parts = [
    () => put("/", textArchive(texts)),
    ...its.added.map((one) => () => put("/", sent(one.archiveIn(inside)))),
    () => put(builder.folders.app, sent(app.archiveFor(builder))),
  ];
  let last: Called | undefined;
  for (const part of parts) {
    last = await part();
    if (last.kind !== "answer") break;
  }
  cancel();
  if (fault instanceof Unsendable) return fault.message;
  if (fault !== undefined) throw fault;
  if (last === undefined || last.kind === "answer") return undefined;
  return `the files of ${printablePath(build.context)} cannot be sent to the engine: ${last.why}`;
}

function atOf({ engine: { socket }, clock, signal }: BuilderBuildOptions) {
  return { socket, clock, signal };
}

function failed(
  why: string,
  { passing }: { passing: boolean } = { passing: false },
): Extract<Built, { kind: "failed" }> {
  return { kind: "failed", why, passing };
}
