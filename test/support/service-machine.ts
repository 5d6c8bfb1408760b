/**
 * Stand-ins for systemctl, loginctl and launchctl, in a PATH of their own -> what was called, in which order, and a
 * home in which files are written. Each answers as the real one does, and fails as a test says.
 */
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  serviceInstall,
  type ServiceEffects,
  type ServiceFlags,
  serviceRemoval,
  serviceStatus,
  serviceUninstall,
} from "../../src/cli/boot/service.ts";
import { failed } from "../../src/cli/ending.ts";
import { noColors, type Screen, type World } from "../../src/cli/shared/world.ts";
import type { Ended } from "./ended.ts";

const head = `#!/bin/sh
cd "$STANDIN"
echo "\${0##*/} $*" >> calls
fails() {
  [ -s "fails-$1" ] || return 1
  read -r code left < "fails-$1"
  tail -n +2 "fails-$1" >&2
  left=$((left - 1))
  if [ "$left" -le 0 ]; then rm "fails-$1"
  else { echo "$code $left"; tail -n +2 "fails-$1"; } > again && mv again "fails-$1"; fi
  exit "$code"
}
`;

const programs = {
  systemctl: `${head}
fails "$2"
unit=
for folder in "$HOME/.config/systemd/user" "$ROOT/usr/lib/systemd/user"; do
  [ -z "$unit" ] && [ -e "$folder/localhostess.service" ] && unit=$folder/localhostess.service
done
case $2 in
  show)
    [ -n "$unit" ] && echo LoadState=loaded || echo LoadState=not-found
    if [ -e state ]; then echo "ActiveState=$(cat state)"
    elif [ -e active ]; then echo ActiveState=active
    else echo ActiveState=inactive; fi
    [ -e enabled ] && echo UnitFileState=enabled || echo UnitFileState=
    [ -e active ] && echo "MainPID=$(cat active)" || echo MainPID=0
    [ "$(cat state 2>&1)" = failed ] && echo Result=exit-code || echo Result=success; echo NeedDaemonReload=no ;;
  enable)
    [ -n "$unit" ] || { echo "Failed to enable unit: Unit file $4 does not exist." >&2; exit 1; }
    : > enabled; echo 4242 > active ;;
  disable) rm -f enabled active ;;
esac
`,
  loginctl: `${head}
fails "$1"
[ "$1" = enable-linger ] && : > lingers
[ "$1" = show-user ] && { [ -e lingers ] && echo yes || echo no; }
exit 0
`,
  launchctl: `${head}
fails "$1"
case $1 in
  print)
    [ -e loaded ] || { echo 'Could not find service "localhostess.daemon" in domain for user gui: 501' >&2; exit 113; }
    echo "	state = running"; echo "	pid = $(cat loaded)" ;;
  bootstrap) [ -e loaded ] && { echo "Bootstrap failed: 5: Input/output error" >&2; exit 5; }; echo 4242 > loaded ;;
  bootout) [ -e loaded ] || { echo "Boot-out failed: 3: No such process" >&2; exit 3; }; rm loaded ;;
esac
exit 0
`,
} as const;

/** What `localhostess uninstall` does with the service. */
const removeAll: typeof serviceUninstall = async (flags, at) => {
  const { root } = flags;
  const { lines, carryOut } = await serviceRemoval(root === undefined ? {} : { root }, at);
  for (const line of lines) at.world.out.write(`${line}\n`);
  await carryOut();
  return 0;
};

const verbs = {
  install: serviceInstall,
  status: serviceStatus,
  uninstall: serviceUninstall,
  removeAll,
};

export type MachineOptions = {
  platform?: "linux" | "darwin";
  /** systemd is the first process. */
  booted?: boolean;
  shell?: string;
};

export async function serviceMachine(options: MachineOptions = {}) {
  const { platform = "linux", booted = true, shell = "/bin/sh" } = options;
  const directory = await mkdtemp(join(tmpdir(), "localhostess-service-"));
  const [home, root, bin, standIn] = ["home", "root", "bin", "standin"].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  const program = join(directory, "program/bin/localhostess");
  for (const folder of [home, bin, standIn, join(directory, "program/bin")]) {
    await mkdir(folder, { recursive: true });
  }
  if (booted) await mkdir(join(root, "run/systemd/system"), { recursive: true });
  const here = platform === "linux" ? ["systemctl", "loginctl"] : ["launchctl"];
  for (const name of here) {
    await writeFile(join(bin, name), programs[name as keyof typeof programs], { mode: 0o755 });
  }
  await writeFile(program, `${head}`, { mode: 0o755 });
  const env: Record<string, string | undefined> = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: home,
    SHELL: shell,
    STANDIN: standIn,
    ROOT: root,
    LOCALHOSTESS_STATE_DIR: join(directory, "state"),
    LOCALHOSTESS_CONFIG: join(directory, "config.toml"),
  };
  return {
    ...{ directory, home, root, bin, program, env },
    path: (...parts: string[]) => join(home, ...parts),
    text: (...parts: string[]) => readFileSync(join(home, ...parts), "utf8"),
    has: (...parts: string[]) => existsSync(join(home, ...parts)),
    /** Files below the home. */
    files: async () =>
      (await readdir(home, { recursive: true, withFileTypes: true }))
        .filter((its) => its.isFile())
        .map((its) => join(its.parentPath, its.name).slice(home.length + 1))
        .sort(),
    /** The calls since the last time. */
    async calls(): Promise<string[]> {
      const path = join(standIn, "calls");
      if (!existsSync(path)) return [];
      const lines = readFileSync(path, "utf8").trim().split("\n");
      await rm(path);
      return lines;
    },
    /** Makes the next calls of a verb fail. */
    fails: (verb: string, { code = 1, text = "", times = 1 }) =>
      writeFile(join(standIn, `fails-${verb}`), `${code} ${times}\n${text}\n`),
    state: (name: string, text: string) => writeFile(join(standIn, name), text),
    async service(
      verb: keyof typeof verbs,
      flags: ServiceFlags = {},
      effects: ServiceEffects = {},
    ): Promise<Ended> {
      const said = { out: "", err: "" };
      const screen = (name: keyof typeof said): Screen => ({
        write(text) {
          said[name] += text;
          return true;
        },
        columns: () => undefined,
        colors: noColors,
      });
      const world: World = {
        ...{ env, cwd: "/", home, platform, out: screen("out"), err: screen("err") },
        prompt: () => Promise.resolve(undefined),
        onSignal: () => () => {},
        onResize: () => () => {},
        exit() {},
      };
      const own = join(directory, "program/src/main.ts");
      try {
        const all = { isWsl: false, own, ...effects };
        return { code: await verbs[verb]({ root, ...flags }, { world, effects: all }), ...said };
      } catch (error) {
        return { code: failed(error, { argv: [], world, place: undefined }).code, ...said };
      }
    },
    writable: (path: string, mode: number) => chmod(path, mode),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
