/** A folder for a project and its builds -> orders of services that are built. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Order } from "../../src/manifest/order.ts";
import { processNow } from "../../src/system/process-now.ts";
import type { BuiltSpec, CommandBuild } from "../../src/manifest/types/build.ts";
import { eventually } from "./eventually.ts";

export type BuiltPlace = Disposable & {
  /** Absolute: the project's folder. */
  directory: string;
  /** Absolute: the folder of the service's builds. */
  place: string;
  write(name: string, text: string): void;
  read(name: string): string;
  /** A buildpack of two shell scripts. Returns its reference: a path from the project's folder. */
  buildpack(name: string, build: string): string;
  order(build: Partial<CommandBuild> | BuiltSpec["build"], changes?: Partial<Order>): Order;
};

/** Resolves once a process has ended, whether its parent knows that or not. */
export async function over(pid: number): Promise<void> {
  await eventually(`${pid} has ended`, () => processNow(pid)?.zombie ?? true);
}

export function builtPlace(): BuiltPlace {
  const folder = mkdtempSync(join(tmpdir(), "localhostess-built-"));
  const [directory, place] = [join(folder, "shop"), join(folder, "place")];
  for (const path of [directory, place]) mkdirSync(path, { mode: 0o700 });
  return {
    ...{ directory, place },
    write(name, text) {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    },
    read: (name) => readFileSync(join(directory, name), "utf8"),
    buildpack(name, build) {
      const its = join(directory, "buildpacks", name);
      mkdirSync(join(its, "bin"), { recursive: true });
      const head = `api = "0.10"\n[buildpack]\nid = "samples/${name}"\nversion = "1.0.0"\n\n[[targets]]\n`;
      writeFileSync(join(its, "buildpack.toml"), head);
      for (const [phase, lines] of Object.entries({ detect: "exit 0", build })) {
        const text = `#!/bin/sh\nset -eu\n${lines}\n`;
        writeFileSync(join(its, "bin", phase), text, { mode: 0o755 });
      }
      return `./buildpacks/${name}`;
    },
    order: (build, changes = {}) => ({
      ...{ id: "shop:web", project: "shop", directory, service: "web", command: "true" },
      ...{ port: undefined, ports: {}, routeName: "shop", variables: [], place: undefined },
      ...{ cache: join(folder, "cache"), owner: "me", stopTimeout: 5000, memory: undefined },
      ...{ check: undefined, readiness: "asked", engineNotes: folder, pty: false },
      ...{ engines: undefined, only: undefined, clean: false },
      own: {
        kind: "built",
        build: "kind" in build ? build : { kind: "command", command: "true", inputs: [], ...build },
      } as BuiltSpec,
      build: { place, shell: ["/bin/sh", "-c"], workdir: directory },
      ...changes,
    }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
