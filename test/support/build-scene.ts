/** Buildpacks of the shell, and an app -> builds of it in a folder of their own. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildApp } from "../../src/build/buildpacks/build-app.ts";
import type { BuildPhase, Built, Launchable } from "../../src/build/buildpacks/buildpack.ts";
import { type Launch, launchOf } from "../../src/build/buildpacks/launch.ts";

export type ShellBuildpack = {
  id: string;
  version?: string;
  api?: string;
  clearEnv?: boolean;
  /** Lines of a shell; without them it passes, with no build plan. */
  detect?: string;
  build: string;
};

export type BuildOptions = {
  buildpacks: readonly string[];
  variables?: Record<string, string>;
  env?: Record<string, string>;
  clean?: boolean;
  without?: readonly string[];
  signal?: AbortSignal;
  onPhase?(phase: BuildPhase, buildpack: string | undefined): void;
  onLine?(line: string): void;
};

export type Seen = { built: Built; lines: string[]; phases: string[] };

/** A folder for one test, which `end` removes. */
export class BuildScene {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "localhostess-build-")));
  readonly app = join(this.root, "app");
  readonly place = join(this.root, "place");

  constructor(files: Readonly<Record<string, string>> = { "app.txt": "one" }) {
    mkdirSync(this.app);
    this.write(files);
  }

  end(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Paths relative to the app. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      const whole = join(this.app, path);
      mkdirSync(dirname(whole), { recursive: true });
      writeFileSync(whole, text);
    }
  }

  /** Its folder. */
  buildpack({
    id,
    version = "1.0.0",
    api = "0.10",
    clearEnv = false,
    detect = "exit 0",
    build,
  }: ShellBuildpack): string {
    const folder = join(this.root, "buildpacks", id.replaceAll("/", "-"));
    mkdirSync(join(folder, "bin"), { recursive: true });
    writeFileSync(
      join(folder, "buildpack.toml"),
      `api = "${api}"\n[buildpack]\nid = "${id}"\nversion = "${version}"\nname = "${id}"\nclear-env = ${clearEnv}\n\n[[targets]]\n`,
    );
    for (const [name, lines] of Object.entries({ detect, build })) {
      const path = join(folder, "bin", name);
      writeFileSync(path, `#!/bin/sh\nset -eu\n${lines}\n`);
      chmodSync(path, 0o755);
    }
    return folder;
  }

  async build(options: BuildOptions): Promise<Seen> {
    const lines: string[] = [];
    const phases: string[] = [];
    const built = await buildApp(
      {
        app: this.app,
        directory: this.root,
        place: this.place,
        cache: join(this.root, "cache"),
        without: options.without ?? [],
        buildpacks: options.buildpacks,
        env: { PATH: process.env.PATH!, HOME: this.root, ...options.env },
        variables: options.variables ?? {},
        clean: options.clean ?? false,
      },
      {
        phase(phase, buildpack) {
          phases.push(buildpack === undefined ? phase : `${phase} ${buildpack}`);
          options.onPhase?.(phase, buildpack);
        },
        write(line) {
          lines.push(line);
          options.onLine?.(line);
        },
        signal: options.signal ?? new AbortController().signal,
      },
    );
    return { built, lines, phases };
  }

  /** @throws where it does not succeed. */
  async built(options: BuildOptions): Promise<{ ran: boolean; launchable: Launchable } & Seen> {
    const seen = await this.build(options);
    if (seen.built.kind === "failed") {
      throw new Error(`${seen.built.phase}: ${seen.built.why}\n${seen.lines.join("\n")}`);
    }
    return { ...seen, ran: seen.built.ran, launchable: seen.built.launchable };
  }

  /** What a process of the last build is started with. @throws where it cannot be. */
  async launch(
    launchable: Launchable,
    {
      process,
      words,
      args = [],
      env = {},
    }: {
      process?: string;
      words?: string[];
      args?: string[];
      env?: Record<string, string>;
    } = {},
  ): Promise<Extract<Launch, { kind: "launch" }> & { lines: string[] }> {
    const lines: string[] = [];
    const launch = await launchOf(this.place, {
      launchable,
      process,
      ...(words === undefined ? {} : { words }),
      args,
      env: { PATH: globalThis.process.env.PATH!, HOME: this.root, ...env },
      write: (line) => void lines.push(line),
    });
    if (launch.kind === "cannot") throw new Error(launch.why);
    return { ...launch, lines };
  }
}

/** What the buildpack has said, without its prefix. */
export function saidBy(id: string, lines: readonly string[]): string[] {
  const prefix = `[${id}] `;
  return lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
}

/** Runs it to its end. @returns what it printed. */
export async function printed(launch: {
  words: readonly string[];
  env: Record<string, string>;
  workdir: string;
}): Promise<string> {
  const child = Bun.spawn([...launch.words], {
    cwd: launch.workdir,
    env: launch.env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await child.stdout.text();
  await child.exited;
  return text;
}
