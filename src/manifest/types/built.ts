/** `build` of a service -> how it is built before it is started, or how its image is made. Pure. */
import { array, description, optional, pipe, record, strictObject, string, union } from "valibot";
import { absolute } from "../../text/absolute.ts";
import { expected, text } from "./forms.ts";
import type { BuiltSpec } from "./build.ts";
import type { ImageBuild } from "./own.ts";
import type { OwnReader } from "./reader.ts";

/** As a file has it. */
export type WrittenBuild =
  | string
  | {
      context?: string;
      dockerfile?: string;
      target?: string;
      args?: Record<string, string>;
      builder?: string;
      buildpacks?: string[];
      process?: string;
    };

const form =
  'a command such as "npm run build", or a table such as { buildpacks = ["./buildpack"] }';

export const buildKeys = {
  build: optional(
    pipe(
      union(
        [
          text(form),
          strictObject(
            {
              context: optional(
                pipe(text("a folder"), description("The folder, relative to the project's.")),
              ),
              dockerfile: optional(
                pipe(
                  text("a path"),
                  description("Of an image: the Dockerfile's path in that folder."),
                ),
              ),
              target: optional(
                pipe(text("a stage"), description("Of an image: the stage that is built.")),
              ),
              args: optional(
                pipe(
                  record(string(), string(expected("a string")), expected("a table")),
                  description("Of an image: build arguments."),
                ),
              ),
              builder: optional(
                pipe(
                  text("a builder"),
                  description(
                    "The builder image that makes an image of the folder, such as `heroku/builder:24`.",
                  ),
                ),
              ),
              buildpacks: optional(
                pipe(
                  array(text("a buildpack"), expected("a list of buildpacks")),
                  description(
                    "Cloud Native Buildpacks, each a folder or an address such as `https://example.com/node.git#v1`; without `builder`, they run on this machine, and with one an id that it has, such as `heroku/nodejs`, is one as well. Default: those of project.toml.",
                  ),
                ),
              ),
              process: optional(
                pipe(
                  text("a type of process"),
                  description("The process of the buildpacks' build that runs. Default: its own."),
                ),
              ),
            },
            expected(form),
          ),
        ],
        expected(form),
      ),
      description(
        "How the service is built before it starts: a command, which `inputs` says the files of; or a table with `buildpacks`; or one with `dockerfile` or `builder`, which make the image of a container. Of a site: the command that makes its files.",
      ),
    ),
  ),
};

/** Keys that make an image of the folder. */
const ofImage = ["dockerfile", "target", "args", "builder"] as const;

/** Keys that are read by buildpacks on this machine. */
const ofBuildpacks = ["buildpacks", "process"] as const;

/** Whether a table under `build` with these keys makes the image of a container. */
export function makesImage(has: (key: string) => boolean): boolean {
  if (ofImage.some(has)) return true;
  return has("context") && !ofBuildpacks.some(has);
}

/** The build of an exec, process, worker or task; undefined where there is none, or it is wrong. */
export function readBuilt({ value, has, wrong, directory }: OwnReader): BuiltSpec | undefined {
  const build = value<WrittenBuild>("build");
  if (build === undefined) return undefined;
  if (typeof build === "string") {
    if (/^\.{0,2}\/?$/.test(build.trim())) {
      const folder = `build = { context = ${JSON.stringify(build.trim())} }`;
      const how = `a folder with a Dockerfile is ${folder}`;
      wrong("build", `expected a command such as "npm run build"; ${how}`);
    }
    const inputs = value<string[]>("inputs") ?? [];
    return { kind: "built", build: { kind: "command", command: build, inputs } };
  }
  const key = [...ofImage, "context"].find((its) => Object.hasOwn(build, its));
  if (key !== undefined && makesImage((its) => Object.hasOwn(build, its))) {
    wrong("build", `${key} makes an image; leave out type, or write type = "container"`);
    return undefined;
  }
  const folder = build.context ?? (has("workdir") ? value<string>("workdir") : undefined) ?? ".";
  return {
    kind: "built",
    build: {
      kind: "buildpacks",
      buildpacks: build.buildpacks ?? [],
      context: absolute(folder, directory),
      process: build.process,
    },
  };
}

/** The image of a container that is built; undefined where it is not, or that is wrong. */
export function readImageBuild({ value, wrong, directory }: OwnReader): ImageBuild | undefined {
  const written = value<WrittenBuild>("build");
  if (written === undefined) return undefined;
  const build = typeof written === "string" ? { context: written } : written;
  const context = absolute(build.context ?? ".", directory);
  const { builder, buildpacks = [], process, dockerfile, target, args } = build;
  if (process !== undefined) {
    const instead = `entrypoint = "/cnb/process/${process}"`;
    wrong("build", `process is for buildpacks on this machine; in a container it is ${instead}`);
  }
  if (builder !== undefined) {
    const other = (["dockerfile", "target", "args"] as const).find((key) => build[key]);
    if (other !== undefined) {
      wrong("build", `builder and ${other} are two ways to make an image; leave out one of them`);
    }
    return { kind: "builder", builder, buildpacks, context };
  }
  if (build.buildpacks !== undefined) {
    const other = (["dockerfile", "target", "args"] as const).find((key) => build[key]);
    if (other !== undefined) {
      wrong("build", `buildpacks and ${other} are two ways to build; leave out one of them`);
      return undefined;
    }
    const image = 'builder = "heroku/builder:24"';
    wrong(
      "build",
      `buildpacks run on this machine, or with a builder in a container; leave out type = "container", or add ${image}`,
    );
    return undefined;
  }
  return {
    kind: "dockerfile",
    context,
    dockerfile: dockerfile ?? "Dockerfile",
    target,
    args: args ?? {},
  };
}

/** A word or two for it. */
export function buildText({ build }: BuiltSpec): string {
  if (build.kind === "command") return build.command;
  const { process, buildpacks } = build;
  const by = buildpacks.length === 1 ? buildpacks[0]! : "buildpacks";
  return process === undefined ? `built by ${by}` : `${process}, built by ${by}`;
}
