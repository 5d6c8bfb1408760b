/** Tarballs of `npm pack` -> a registry on loopback that has those packages, and no other. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { ended } from "./ended.ts";

export interface NpmRegistry extends AsyncDisposable {
  /** With a slash at the end. */
  url: string;
  /** Names that were asked for and are not here: all that an installer would have fetched from elsewhere. */
  others: readonly string[];
  /** The package.json of a package. */
  manifest(name: string): Manifest;
}

export type Manifest = {
  name: string;
  version: string;
  scripts?: unknown;
  optionalDependencies?: Readonly<Record<string, string>>;
};

type Package = { manifest: Manifest; bytes: Uint8Array; path: string };

export async function npmRegistry(tarballs: readonly string[]): Promise<NpmRegistry> {
  const packages = new Map<string, Package>();
  for (const path of tarballs) {
    const manifest = await manifestIn(path);
    packages.set(manifest.name, { manifest, bytes: await readFile(path), path: basename(path) });
  }
  const others: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const { pathname, origin } = new URL(request.url);
      const name = decodeURIComponent(pathname).slice(1);
      const its = packages.get(name);
      if (its !== undefined) return Response.json(packument(its, origin));
      const file = [...packages.values()].find(({ path }) => name === `files/${path}`);
      if (file !== undefined) return new Response(file.bytes);
      others.push(name);
      return Response.json({ error: "not found" }, { status: 404 });
    },
  });
  return {
    url: `${server.url.origin}/`,
    others,
    manifest(name) {
      const its = packages.get(name);
      if (its === undefined) throw new Error(`the registry has no ${name}`);
      return its.manifest;
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** What a registry says of a package: its versions, of which there is one. */
function packument({ manifest, bytes, path }: Package, origin: string): object {
  const hash = (algorithm: "sha1" | "sha512", encoding: "hex" | "base64") =>
    new Bun.CryptoHasher(algorithm).update(bytes).digest(encoding);
  const { name, version } = manifest;
  const dist = {
    tarball: `${origin}/files/${path}`,
    shasum: hash("sha1", "hex"),
    integrity: `sha512-${hash("sha512", "base64")}`,
  };
  return {
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { ...manifest, dist } },
    time: { [version]: "2026-01-01T00:00:00.000Z" },
  };
}

async function manifestIn(path: string): Promise<Manifest> {
  const words = ["tar", "-xzOf", path, "package/package.json"];
  const { code, out, err } = await ended(words, { env: process.env, cwd: "/" });
  if (code !== 0) throw new Error(err);
  return JSON.parse(out) as Manifest;
}
