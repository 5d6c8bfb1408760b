/** A project's declaration, and where its folder is now -> the same declaration, there. Pure. */
import type { Checkout, ProjectSpec, ServiceSpec } from "../../manifest/project.ts";
import type { Own } from "../../manifest/types/own.ts";

/** From one folder to another, both absolute. */
export type Move = { from: string; to: string };

export function movedPath(path: string, { from, to }: Move): string {
  if (path === from) return to;
  return path.startsWith(`${from}/`) ? `${to}${path.slice(from.length)}` : path;
}

export function movedSpec(spec: ProjectSpec, move: Move): ProjectSpec {
  return {
    ...spec,
    directory: movedPath(spec.directory, move),
    ...(spec.checkout === undefined ? {} : { checkout: movedCheckout(spec.checkout, move) }),
    files: spec.files.map((path) => movedPath(path, move)),
    services: spec.services.map((its) => movedService(its, move)),
  };
}

/** The checkout's folder, where the project's, which is in it, was moved with it. */
export function movedRoot(root: string, { from, to }: Move): string {
  const within = from === root || from.startsWith(`${root}/`) ? from.slice(root.length) : undefined;
  if (within === undefined || !to.endsWith(within)) return root;
  return to.slice(0, to.length - within.length);
}

function movedCheckout(checkout: Checkout, move: Move): Checkout {
  return { ...checkout, root: movedRoot(checkout.root, move) };
}

export function movedService(spec: ServiceSpec, move: Move): ServiceSpec {
  return {
    ...spec,
    ...(spec.own === undefined ? {} : { own: movedOwn(spec.own, move) }),
    workdir: movedPath(spec.workdir, move),
    envFiles: spec.envFiles.map((path) => movedPath(path, move)),
  };
}

/** Paths on this machine; those inside a container stay. */
export function movedOwn(own: Own, move: Move): Own {
  const moved = (path: string): string => movedPath(path, move);
  switch (own.kind) {
    case "postgres":
      return { ...own, init: own.init.map(moved) };
    case "store":
      return own;
    case "container": {
      const { build, volumes } = own;
      return {
        ...own,
        build: build && { ...build, context: moved(build.context) },
        volumes: volumes.map((its) =>
          its.kind === "bind" ? { ...its, source: moved(its.source) } : its,
        ),
      };
    }
    case "site":
      return { ...own, path: moved(own.path) };
    case "built": {
      const { build } = own;
      if (build.kind === "command") return own;
      return { ...own, build: { ...build, context: moved(build.context) } };
    }
  }
}
