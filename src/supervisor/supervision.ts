/** A state directory and this machine -> the projects that a daemon supervises. */
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { Supervised } from "../routes/supervised.ts";
import type { Clock } from "../system/clock.ts";
import { loopback } from "../system/loopback.ts";
import { gitHead } from "./project/git-head.ts";
import { machine } from "./service/machine.ts";
import { kindMachine } from "./types/kind-machine.ts";
import { allProjects } from "./all-projects.ts";
import type { Projects } from "./projects.ts";

export type SupervisionOptions = {
  stateDirectory: string;
  clock: Clock;
  env: Readonly<Record<string, string | undefined>>;
  /** `config.toml`, where there may be one. */
  configFile: string | undefined;
  tlds: readonly string[];
  addressOf(routeName: string, domain: string): { url: string; domain: string };
  /** Variables that name the bundle of authorities. */
  trust(): Promise<Readonly<Record<string, string>>>;
  /** Pids of this daemon's children that are no service's. */
  besides: ReadonlySet<number>;
  ownPorts(): readonly number[];
  /** The container engines that may be asked; undefined: those that are found. */
  engines: readonly string[] | undefined;
  onChange(change: "appeared" | "changed" | "gone", snapshot: Supervised): void;
  note(text: string): void;
};

/** Bytes of a socket's path, with a name in it: sys/un.h of macOS has 104 with the NUL. */
const longestFolder = 90;

export function supervision(options: SupervisionOptions): Projects {
  const { stateDirectory, clock, env, configFile, tlds, note } = options;
  const { platform } = process;
  const wanted = join(stateDirectory, "notify");
  const fits = Buffer.byteLength(wanted) <= longestFolder;
  const folder = fits ? wanted : join(tmpdir(), `localhostess-${crypto.randomUUID()}`);
  const made = machine({ platform, folder, clock, besides: options.besides, report: note });
  return allProjects({
    stateDirectory,
    clock,
    effects: made.effects,
    loopback: loopback(platform),
    shell: env,
    async read(directory, { shell, file, naming }) {
      // The TOML reader takes memory that a daemon without projects need not spend.
      const { readProject } = await import("./project/read-project.ts");
      const home = env.HOME ?? homedir();
      const place = { home, configFile, stateDirectory };
      return await readProject(directory, { ...place, tlds, shell, file, naming });
    },
    gitHead,
    socketPath: () => made.socketPath(),
    kinds: kindMachine({ stateDirectory, env, engines: options.engines }),
    tlds,
    addressOf: options.addressOf,
    trust: options.trust,
    ownPorts: options.ownPorts,
    onOwned: (how) => made.start(how),
    onReleased: (how) => made.stop(how),
    machine: platform === "linux" ? made.handing : undefined,
    onChange: options.onChange,
    note,
  });
}
