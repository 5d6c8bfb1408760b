/** The lock file -> the list of what is in a release, as CycloneDX 1.6. The same input gives the same bytes. */

export type LockFile = { packages: Readonly<Record<string, Locked>> };

type Locked = {
  version?: string;
  license?: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  dependencies?: Readonly<Record<string, string>>;
  peerDependencies?: Readonly<Record<string, string>>;
};

export type SbomOptions = {
  version: string;
  license: string;
  /** Seconds since 1970. */
  epoch: number;
  /** The version of Debian's musl-dev, which the helpers are linked with; undefined where there are none. */
  musl?: string | undefined;
};

type Component = {
  "bom-ref": string;
  type: "library" | "platform";
  name: string;
  version: string;
  purl: string;
  description?: string;
  licenses?: { license: { id: string } }[];
  hashes?: { alg: string; content: string }[];
};

export function sbom(lock: LockFile, options: SbomOptions): object {
  const { version, license, epoch } = options;
  const placed = npmComponents(lock);
  const others = otherParts(options);
  const all = new Map([...placed.values(), ...others].map((its) => [its.purl, its]));
  const own = `pkg:npm/localhostess@${version}`;
  /** The packages that a package gets, by Node's way to look for them: beside it, or further up. */
  const below = (path: string): string[] => {
    const its = lock.packages[path];
    const names = Object.keys({ ...its?.dependencies, ...its?.peerDependencies });
    return names.flatMap((name) => {
      for (const folder of foldersAbove(path)) {
        const found = placed.get(`${folder}node_modules/${name}`);
        if (found !== undefined) return [found.purl];
      }
      return [];
    });
  };
  const ofPackages = new Map<string, Set<string>>();
  for (const [path, { purl }] of placed) {
    ofPackages.set(purl, (ofPackages.get(purl) ?? new Set()).union(new Set(below(path))));
  }
  const content = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: new Date(epoch * 1_000).toISOString(),
      component: {
        "bom-ref": own,
        type: "application",
        name: "localhostess",
        version,
        purl: own,
        licenses: [{ license: { id: license } }],
      },
    },
    components: [...all.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1)),
    dependencies: [
      { ref: own, dependsOn: [...below(""), ...others.map((its) => its.purl)].sort() },
      ...[...ofPackages].sort().map(([ref, on]) => ({ ref, dependsOn: [...on].sort() })),
    ],
  };
  return { ...content, serialNumber: serialNumber(JSON.stringify(content)) };
}

/** `node_modules/a/node_modules/b` -> itself, then `node_modules/a/`, then the top. */
function foldersAbove(path: string): string[] {
  if (path === "") return [""];
  const parts = path.split("/node_modules/");
  return [
    ...parts.map((_, at) => `${parts.slice(0, parts.length - at).join("/node_modules/")}/`),
    "",
  ];
}

/** Paths in the lock file -> all that is not for development. The runtime's packages are one thing, `bun`. */
function npmComponents({ packages }: LockFile): Map<string, Component> {
  const found = new Map<string, Component>();
  for (const [path, its] of Object.entries(packages)) {
    const name = path.split("node_modules/").at(-1)!;
    if (path === "" || its.dev || its.optional || its.version === undefined) continue;
    const purl = `pkg:npm/${name.replace("@", "%40")}@${its.version}`;
    const isRuntime = name === "bun";
    found.set(path, {
      "bom-ref": purl,
      type: isRuntime ? "platform" : "library",
      name,
      version: its.version,
      purl,
      ...(isRuntime
        ? { description: "The runtime, with JavaScriptCore (LGPL-2.0-or-later)." }
        : {}),
      ...(its.license === undefined ? {} : { licenses: [{ license: { id: its.license } }] }),
      ...(its.integrity === undefined ? {} : { hashes: [hashOf(its.integrity)] }),
    });
  }
  return found;
}

function otherParts({ musl }: SbomOptions): Component[] {
  if (musl === undefined) return [];
  const purl = `pkg:deb/debian/musl@${musl}`;
  return [
    {
      "bom-ref": purl,
      type: "library",
      name: "musl",
      version: musl,
      purl,
      description: "The C library in localhostess-helper and localhostess-hosts.",
      licenses: [{ license: { id: "MIT" } }],
    },
  ];
}

/** `sha512-<base64>` -> CycloneDX's form. */
function hashOf(integrity: string): { alg: string; content: string } {
  const [alg = "", base64 = ""] = integrity.split(/-(.*)/s);
  return {
    alg: alg.toUpperCase().replace("SHA", "SHA-"),
    content: Buffer.from(base64, "base64").toString("hex"),
  };
}

/** A UUID that depends on the content alone. RFC 9562, version 8. */
function serialNumber(content: string): string {
  const hex = new Bun.CryptoHasher("sha256").update(content).digest("hex");
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
  ];
  return `urn:uuid:${parts.join("-")}-${hex.slice(20, 32)}`;
}
