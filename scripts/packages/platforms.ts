/** The platforms that a release is made for -> what npm, Debian and Bun call each of them. */

export type Platform = {
  /** As in the names of our npm packages and tarballs. */
  id: string;
  /** What `bun build --compile` calls it. */
  target: string;
  os: "linux" | "darwin";
  cpu: "x64" | "arm64";
  /** npm's word for the C library. Packages without that field are for every one. */
  libc?: "glibc" | "musl";
  /** Debian's architecture, for platforms that have a .deb. */
  debian?: "amd64" | "arm64";
};

/**
 * The builds for x64 are Bun's baseline: they begin on processors without AVX2 as well, which virtual machines often
 * have.
 */
export const platforms: readonly Platform[] = [
  linux("x64", { libc: "glibc", debian: "amd64" }),
  linux("arm64", { libc: "glibc", debian: "arm64" }),
  linux("x64", { libc: "musl" }),
  linux("arm64", { libc: "musl" }),
  { id: "darwin-x64", target: "bun-darwin-x64-baseline", os: "darwin", cpu: "x64" },
  { id: "darwin-arm64", target: "bun-darwin-arm64", os: "darwin", cpu: "arm64" },
];

function linux(cpu: Platform["cpu"], its: Pick<Platform, "libc" | "debian">): Platform {
  const musl = its.libc === "musl" ? "-musl" : "";
  const baseline = cpu === "x64" ? "-baseline" : "";
  return {
    id: `linux-${cpu}${musl}`,
    target: `bun-linux-${cpu}${musl}${baseline}`,
    os: "linux",
    cpu,
    ...its,
  };
}

/** The npm package that carries the program for a platform. */
export function packageName({ id }: Pick<Platform, "id">): string {
  return `@localhostess/${id}`;
}

/** The platform of this machine. */
export function ownPlatform(): Platform {
  const musl = process.platform === "linux" && !hasGlibc();
  const id = `${process.platform}-${process.arch}${musl ? "-musl" : ""}`;
  const own = platforms.find((its) => its.id === id);
  if (own === undefined) throw new Error(`there is no package for ${id}`);
  return own;
}

/** Node's and Bun's way to tell: the report of the process names glibc's version. */
function hasGlibc(): boolean {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime !== undefined;
}
