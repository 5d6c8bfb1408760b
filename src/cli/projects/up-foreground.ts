/** A project to start -> its services and their output, until Ctrl-C, which stops them. */
import { systemClock } from "../../system/clock.ts";
import { shownDuration } from "../../text/duration.ts";
import { answerOf, carriedOut, rowsOf } from "./asking.ts";
import { tellElsewhere } from "./elsewhere.ts";
import { follow } from "./logs.ts";
import { progress } from "./progress.ts";
import { tellReasons } from "./reasons.ts";
import { nameWithin } from "./short-name.ts";
import { stopBehind } from "./stop-behind.ts";
import { tellUnresolvedOf } from "./unresolved.ts";
import type { Upping } from "./upping.ts";

/** Milliseconds: each service has its stop_timeout, and dependents end first. */
const stopPatience = 120_000;
/** Milliseconds for the last output to arrive. */
const lastWords = 150;

export async function upInForeground(
  { socket, request, repeats, project, world }: Upping,
  { patience }: { /** Milliseconds; undefined: without a limit. */ patience: number | undefined },
): Promise<number> {
  const { err } = world;
  const steps = progress({
    screen: err,
    clock: systemClock,
    drawn: false,
    nameOf: nameWithin,
  });
  const interrupted = Promise.withResolvers<"interrupted">();
  let signals = 0;
  const cancel = world.onSignal(() => {
    signals++;
    // The second signal ends it at once.
    if (signals > 1) world.exit(1);
    interrupted.resolve("interrupted");
  });
  const late = Promise.withResolvers<"late">();
  const cancelLate =
    patience === undefined ? () => {} : systemClock.after(patience, () => late.resolve("late"));
  const since = new Date().toISOString();
  const wanted = { project_path: project.directory, mode: "follow", since } as const;
  const logs = follow({ socket, world, wanted, nameOf: nameWithin });
  try {
    const started = carriedOut(socket, request, { hear: steps.hear, repeats });
    const first = await Promise.race([started, interrupted.promise, late.promise]);
    cancelLate();
    steps.end();
    if (first === "late") {
      const why = `not ready within ${shownDuration(patience!)}`;
      const how = `${project.name} goes on in the background; stop it with: localhostess stop`;
      tellReasons([`${why}; ${how}`], err);
      return 1;
    }
    let code = 0;
    if (first !== "interrupted" && first.kind === "failed") {
      tellReasons(first.reasons, err);
      code = 1;
    } else if (first !== "interrupted") {
      const known = await rowsOf(socket).catch(() => []);
      const rows = known.filter((row) => row.path === project.directory);
      await tellElsewhere(rows, world);
      const running = rows.filter((row) => row.state !== "stopped");
      await tellUnresolvedOf(running, { socket, project, known, world });
      const next = await Promise.race([interrupted.promise, logs.ended]);
      if (next !== "interrupted") {
        err.write("localhostess: the daemon exited, and its services with it\n");
        return 1;
      }
    }
    err.write(`${err.colors.dim(`stopping ${project.name}`)}\n`);
    const stop = { Stop: { project_path: project.directory } };
    await stopBehind(started, () => answerOf(socket, stop, { deadline: stopPatience }));
    // The output of the services while they stopped.
    await Promise.race([logs.ended, Bun.sleep(lastWords)]);
    return code;
  } finally {
    cancel();
    steps.end();
    cancelLate();
    logs.stop();
  }
}
