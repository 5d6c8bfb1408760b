/** How the daemon was started -> words to whoever waits for it, and what becomes of the process in the end. */
import { join } from "node:path";
import { type StartedBy, startedBy, whenReplaced } from "../../boot/started-by.ts";
import { unitName } from "../../boot/unit-text.ts";
import { type Unit, unitOf } from "../../system/unit-of.ts";
import type { Daemon } from "../../daemon/daemon.ts";
import { notifySupervisor } from "../../system/notify-supervisor.ts";
import type { Settings } from "../shared/settings.ts";
import type { StopSignal, World } from "../shared/world.ts";
import { minding, type MindingOptions, passOn } from "./minding.ts";

export type ManagerOptions = {
  world: World;
  settings: Settings;
  /** The daemon writes into its log. */
  background: boolean;
  note(text: string): void;
  /** Signals end this daemon no more, as it has ended: somebody else hears them. */
  ignoreSignals(): void;
  /** For tests. */
  unit?: (pid: number | "self") => Unit | undefined;
  by?: StartedBy;
  minds?: MindingOptions;
};

/** Milliseconds that answers have, of the ten seconds after which container engines kill everything. */
const containerDrain = 8_000;

/** systemd, launchd, a container's engine, or nobody, in which case nothing is told. */
export class Manager {
  readonly #options: ManagerOptions;
  readonly #by;
  readonly #notify;
  readonly #unit;
  #becomes: "keeps" | "ends" | "minds" = "keeps";
  /** The daemon that has taken over, where systemd follows it. */
  #followed: number | undefined;

  constructor(options: ManagerOptions) {
    this.#options = options;
    const { background, world } = options;
    const { env, platform } = world;
    this.#unit = options.unit ?? unitOf;
    const NOTIFY_SOCKET = notifyPath(env, this.#unit("self"));
    const { pid, ppid: parent } = process;
    const its = { pid, parent, platform, background, env: { ...env, NOTIFY_SOCKET } };
    this.#by = options.by ?? startedBy(its);
    this.#notify = notifySupervisor(this.#by === "systemd" ? NOTIFY_SOCKET : undefined);
  }

  /** As in `DaemonOptions`. */
  get drain(): number | undefined {
    return this.#by === "container" || this.#by === "init" ? containerDrain : undefined;
  }

  /** The daemon answers. */
  ready({ port, isHanded, predecessor }: Daemon): void {
    // A daemon that hands over has said so itself, before it could end.
    const main = isHanded || predecessor === undefined ? [] : [`MAINPID=${process.pid}`];
    this.#notify(...main, "READY=1", `STATUS=answers on port ${port}`);
  }

  /** The daemon lets go of everything: whoever waits for this process has to wait for that one. */
  handedOver(pid: number | undefined): void {
    const ours = this.#unit("self")?.path;
    const isSame = pid !== undefined && ours !== undefined && this.#unit(pid)?.path === ours;
    this.#becomes = whenReplaced[this.#by][isSame ? "same unit" : "elsewhere"];
    this.#followed = isSame && this.#by === "systemd" ? pid : undefined;
    if (isSame) this.#notify(`MAINPID=${pid}`, `STATUS=pid ${pid} has taken over`);
  }

  /**
   * A signal came to this process while the next daemon was on trial (`isFirst`), or has come since.
   * @returns whether it is for the next daemon, and goes there.
   */
  passOn(name: StopSignal, { isFirst }: { isFirst: boolean }): boolean {
    const { settings, minds } = this.#options;
    if (this.#becomes === "minds") {
      void passOn(name, settings, minds);
      return true;
    }
    // Later signals of systemd go to the process that it was told of.
    const pid = isFirst ? this.#followed : undefined;
    // At once: this process may end before another turn.
    if (pid !== undefined) void passOn(name, settings, { ...minds, daemonPid: () => pid });
    return pid !== undefined;
  }

  stopping(): void {
    this.#notify("STOPPING=1", "STATUS=stopping");
  }

  /** To be called last of all. @returns the exit code. */
  async after(daemon: Daemon): Promise<number> {
    const { settings, note, ignoreSignals, background } = this.#options;
    if (daemon.isReplaced && this.#becomes === "ends") return 0;
    if (daemon.isReplaced && this.#becomes === "minds") {
      ignoreSignals();
      note("this process stays until the daemon ends that has taken over");
      void daemon.kept({ stays: true });
      return await minding(settings, this.#options.world, this.#options.minds);
    }
    if (daemon.keeps > 0 && !background) {
      note("this process stays for services that it has started; to end it does them no harm");
    }
    await daemon.kept({ stays: false });
    return 0;
  }
}

/**
 * systemd's variable is not in the environment of a daemon that a command of ours has started within the unit; the
 * socket is there all the same.
 */
function notifyPath(env: World["env"], unit: Unit | undefined): string | undefined {
  if (env.NOTIFY_SOCKET) return env.NOTIFY_SOCKET;
  const runtime = env.XDG_RUNTIME_DIR;
  return unit?.name === unitName && runtime ? join(runtime, "systemd", "notify") : undefined;
}
