/** The keys of `type = "container"` -> a container. Pure. */
import {
  array,
  check,
  description,
  optional,
  picklist,
  pipe,
  regex,
  string,
  union,
  number,
} from "valibot";
import { absolute } from "../../text/absolute.ts";
import { shown } from "../../text/shown.ts";
import { readImageBuild } from "./built.ts";
import { expected, text, whole } from "./forms.ts";
import type { ContainerSpec, ExtraPort, StopSignal, Volume } from "./own.ts";
import type { OwnReader } from "./reader.ts";

const portForm = 'a port such as 1025, or a text such as "8025:1025" or "53:53/udp"';
const volumeForm = 'expected "name:/path", "./folder:/path" or "./folder:/path:ro"';
/** For the form of a path alone. */
const noFolders = { directory: "/", home: "/" };
const words = "a text, or a list of words";

export const containerKeys = {
  image: optional(
    pipe(
      text("an image"),
      regex(/^[^\s]+$/, 'expected an image such as "redis:7"'),
      description("The image, such as `redis:7`."),
    ),
  ),
  container_port: optional(
    pipe(
      whole(1, 65_535),
      description("The port inside the container, where `port` is the one on this machine."),
    ),
  ),
  ports: optional(
    pipe(
      array(
        union([
          pipe(
            number(),
            check((value) => isPort(value), expected(portForm)),
          ),
          pipe(
            text(portForm),
            check((value) => readPort(value) !== undefined, expected(portForm)),
          ),
        ]),
        expected("a list of ports"),
      ),
      description(
        "Of a container: further ports that are published on 127.0.0.1, each the port inside, or `outside:inside`.",
      ),
    ),
  ),
  volumes: optional(
    pipe(
      array(
        pipe(
          text('a volume such as "data:/var/lib/data"'),
          check((value) => readVolume(value, noFolders) !== undefined, volumeForm),
        ),
        expected("a list of volumes"),
      ),
      description(
        "Of a container: `name:/path` is a volume of its project and checkout, `./folder:/path` a folder of the project; `:ro` is read-only.",
      ),
    ),
  ),
  entrypoint: optional(
    pipe(
      union([text(words), array(string(), expected(words))], expected(words)),
      description("Of a container: the program in the place of the image's entry point."),
    ),
  ),
  user: optional(
    pipe(
      union([text("a user"), number()], expected("a user")),
      description("Of a container: the user inside, such as `1000:1000`."),
    ),
  ),
  pull: optional(
    pipe(
      picklist(["missing", "always", "never"], expected('"missing", "always" or "never"')),
      description("Of a container: when its image is pulled."),
    ),
  ),
};

/** PORT of an image by buildpacks where the file has none: such programs listen where that says. */
const builtPort = 8080;

export function readContainer(reader: OwnReader): ContainerSpec {
  const { value, has, wrong } = reader;
  const image = value<string>("image");
  if (!has("image") && !has("build")) {
    wrong("image", 'an image is required, such as image = "redis:7", or build = "."');
  }
  const entrypoint = value<string | string[]>("entrypoint");
  const user = value<string | number>("user");
  const workdir = has("workdir") ? value<string>("workdir") : undefined;
  if (workdir !== undefined && !workdir.startsWith("/")) {
    wrong("workdir", "a container's is a folder inside it, which begins with /");
  }
  const build = readImageBuild(reader);
  const written = value<number>("container_port") ?? value<number>("port");
  const inside = written ?? (build?.kind === "builder" ? builtPort : undefined);
  return {
    kind: "container",
    image,
    build,
    entrypoint: typeof entrypoint === "string" ? [entrypoint] : entrypoint,
    user: user === undefined ? undefined : String(user),
    workdir,
    inside,
    ports: portsIn(reader, inside),
    volumes: volumesIn(reader),
    stopSignal: has("stop_signal") ? value<StopSignal>("stop_signal") : undefined,
    pull: value<ContainerSpec["pull"]>("pull") ?? "missing",
  };
}

function portsIn({ value, has, holds, wrong }: OwnReader, inside: number | undefined): ExtraPort[] {
  const own = has("container_port") ? value<number>("port") : undefined;
  const outsides = new Set(own === undefined ? [] : [`${own}/tcp`]);
  const insides = new Set(inside === undefined ? [] : [`${inside}/tcp`]);
  const written = value<(string | number)[]>("ports") ?? [];
  return written.flatMap((text): ExtraPort[] => {
    const its = readPort(text);
    if (its === undefined) return [];
    const port = `${its.inside}/${its.protocol}`;
    if (insides.has(port)) wrong("ports", `port ${port} inside is published twice`);
    const outside = `${its.outside}/${its.protocol}`;
    if (its.outside !== undefined && outsides.has(outside)) {
      wrong("ports", `port ${its.outside} of this machine stands twice`);
    }
    insides.add(port);
    if (its.outside !== undefined) outsides.add(outside);
    // In a linked worktree, the main checkout has the committed one.
    return [holds("ports") ? its : { ...its, outside: undefined }];
  });
}

function volumesIn({ value, wrong, directory, home }: OwnReader): Volume[] {
  const targets = new Set<string>();
  return (value<string[]>("volumes") ?? []).flatMap((written): Volume[] => {
    if (written.startsWith("~") && home === undefined) {
      wrong("volumes", `${shown(written)}: nobody knows the folder that ~ stands for`);
      return [];
    }
    const its = readVolume(written, { directory, home: home ?? "/" });
    if (its === undefined) return [];
    if (targets.has(its.target)) wrong("volumes", `${its.target} inside stands twice`);
    targets.add(its.target);
    return [its];
  });
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535;
}

/** `8025`, `"8025:1025"`, `"127.0.0.1:8025:1025"`, `"53:53/udp"`. Undefined: none of them. */
export function readPort(written: string | number): ExtraPort | undefined {
  const match =
    /^(?:(?:(?:127\.0\.0\.1|localhost):)?([0-9]{1,5}):)?([0-9]{1,5})(?:\/(tcp|udp))?$/.exec(
      String(written),
    );
  if (match === null) return undefined;
  const [, outside, inside, protocol = "tcp"] = match;
  const ports = [Number(inside), ...(outside === undefined ? [] : [Number(outside)])];
  if (!ports.every(isPort)) return undefined;
  return { inside: ports[0]!, outside: ports[1], protocol: protocol as ExtraPort["protocol"] };
}

/** Undefined: neither `name:/path` nor `folder:/path`. */
export function readVolume(
  written: string,
  { directory, home }: { directory: string; home: string },
): Volume | undefined {
  const match = /^([^:]+):(\/[^:]*)(?::(ro|rw))?$/.exec(written);
  if (match === null) return undefined;
  const [, source, inside, mode] = match;
  const target = absolute(inside!, "/");
  if (target === "/") return undefined;
  const its = { target, readOnly: mode === "ro" };
  if (/^~(?:\/|$)/.test(source!)) {
    return { ...its, source: absolute(`.${source!.slice(1)}`, home), kind: "bind" };
  }
  if (/^(?:\/|\.\.?(?:\/|$))/.test(source!)) {
    return { ...its, source: absolute(source!, directory), kind: "bind" };
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(source!)) return undefined;
  return { ...its, source: source!, kind: "named" };
}
