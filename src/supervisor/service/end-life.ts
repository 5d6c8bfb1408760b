/** A life that somebody wants to end -> asked to by its own commands, and how long its family has after that. */
import type { Clock } from "../../system/clock.ts";
import type { Ending } from "../family/ending.ts";
import type { EndOptions, Families, Run } from "../family/family.ts";
import type { Hooks, RunningHook } from "./hooks.ts";

type EndEffects = { clock: Clock; families: Families };

/** The part of a life that this file needs. */
type Ends = {
  readonly born: { hooks: Hooks; run: Run };
  readonly pid: number;
  readonly mainPid: number | undefined;
  readonly isAlive: boolean;
  readonly exited: { promise: Promise<void> };
  extend: ((by: number) => void) | undefined;
  /** False where the hook failed, which is a remark of the life. */
  heed(hook: RunningHook | undefined): Promise<boolean>;
};

/** Milliseconds between two looks at a main process that is not our child. */
const mainPeriod = 200;

/** Milliseconds that the rest of a family is given at least, once `stop_command` has ended the main process. */
const restPatience = 1000;

/**
 * Runs `before_stop`, then `stop_command` until the main process has ended. Resolves with the milliseconds from the
 * stop signal to SIGKILL for what is left: all of `timeout` where there is no such command, or where it failed; none
 * where the service did not end in that time.
 */
export async function askToEnd(
  life: Ends,
  { clock, families, timeout }: EndEffects & { timeout: number },
): Promise<number> {
  const { hooks, run } = life.born;
  const variables = { MAINPID: String(life.pid) };
  await life.heed(hooks.run("before_stop", variables));
  const command = life.isAlive ? hooks.run("stop_command", variables) : undefined;
  if (command === undefined) return timeout;
  const deadline = { at: clock.now() + timeout };
  life.extend = (by) => {
    deadline.at = Math.max(deadline.at, clock.now() + by);
  };
  let failed = false;
  let done = false;
  const result = life.heed(command).then((well) => {
    failed = !well;
    done = true;
  });
  const { mainPid } = life;
  while (!failed && clock.now() < deadline.at) {
    if (!(await isThere(life, { families, run, mainPid })) && done) break;
    const changes = [life.isAlive ? life.exited.promise : result, done ? undefined : result];
    await someTime(Math.min(mainPeriod, deadline.at - clock.now()), { clock, changes });
  }
  if (failed) return timeout;
  command.kill();
  if (!(await isThere(life, { families, run, mainPid }))) {
    return Math.max(restPatience, deadline.at - clock.now());
  }
  hooks.say(`stop_command: the service did not end within ${timeout / 1000} s; it is killed`);
  return 0;
}

/** Whether its main process still runs. */
async function isThere(
  life: Ends,
  { families, run, mainPid }: { families: Families; run: Run; mainPid: number | undefined },
): Promise<boolean> {
  if (mainPid === undefined) return life.isAlive;
  try {
    return (await families.members(run)).some(({ pid }) => pid === mainPid);
  } catch {
    // The machine could not be looked at, which the families report.
    return true;
  }
}

/** Resolves after so many milliseconds, or with the first change. */
async function someTime(
  milliseconds: number,
  { clock, changes }: { clock: Clock; changes: readonly (Promise<unknown> | undefined)[] },
): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = clock.after(Math.max(1, milliseconds), late.resolve);
  await Promise.race([late.promise, ...changes.filter((change) => change !== undefined)]);
  cancel();
}

export type AfterwardsOptions = EndEffects & {
  run: Run;
  how: EndOptions;
  /** How the main process ended; undefined: there was none. */
  ending: Ending | undefined;
  heed: Ends["heed"];
};

/** Runs `after_stop` when nothing of a family is left, and ends what that leaves behind. */
export async function afterwards(
  hooks: Hooks,
  { families, run, how, ending, heed }: AfterwardsOptions,
): Promise<void> {
  const hook = hooks.run("after_stop", ending === undefined ? {} : variablesOf(ending));
  if (hook === undefined) return;
  await heed(hook);
  await families.end(run, how).done;
}

/** As systemd.exec(5) has them: `exited` with a code, or `killed` with a signal's name without SIG. */
function variablesOf({ code, signal }: Ending): Record<string, string> {
  if (signal !== null) return { EXIT_CODE: "killed", EXIT_STATUS: signal.replace(/^SIG/, "") };
  return code === null ? {} : { EXIT_CODE: "exited", EXIT_STATUS: String(code) };
}
