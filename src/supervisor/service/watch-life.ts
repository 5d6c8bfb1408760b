/** A life that has begun -> what is seen of it and what it says of itself, as events of its lifecycle. */
import type { Ending } from "../family/ending.ts";
import type { Life, LifeOwner } from "./life.ts";
import { MainProcess } from "./main-process.ts";
import { MemoryLimit } from "./memory-limit.ts";
import type { Notice } from "./notify.ts";
import { Readiness } from "./readiness.ts";
import { Watchdog } from "./watchdog.ts";
import { Whereabouts } from "./whereabouts.ts";

export type WatchOptions = {
  owner: LifeOwner;
  /** Its main process has ended by itself. */
  onEnd(how: Ending): void;
};

/** Watches it until it is closed. */
export function watchLife(life: Life, { owner, onEnd }: WatchOptions): void {
  const readiness = new Readiness(life, owner);
  const watchdog = new Watchdog(life, (why) => owner.happen("timed-out", why));
  const main = new MainProcess(life, { owner, onEnd });
  const whereabouts = new Whereabouts(life, {
    owner,
    onElsewhere: () => readiness.listensElsewhere(),
  });

  /** The service itself has begun. */
  function start(): void {
    readiness.start();
    whereabouts.start();
    const limit = owner.spec.limits.memory;
    if (limit !== undefined) new MemoryLimit(life, { owner, limit }).start();
  }

  /** Our own program is at work, and says so. */
  function hearBuild(notice: Notice): void {
    if (notice.kind === "built") {
      life.built();
      owner.changed();
      start();
    } else if (notice.kind === "status") {
      life.status = notice.text === "" ? undefined : notice.text;
      owner.changed();
    } else if (notice.kind === "cannot") {
      life.cannot = { why: notice.why, passing: notice.passing };
    }
  }

  function hear(notice: Notice): void {
    if (life.isBuilding) {
      hearBuild(notice);
      return;
    }
    switch (notice.kind) {
      case "ready":
        life.speaks = true;
        readiness.ready();
        break;
      case "status":
        life.speaks = true;
        life.status = notice.text === "" ? undefined : notice.text;
        owner.changed();
        break;
      case "reloading":
        life.speaks = true;
        readiness.unready("it reloads");
        break;
      case "stopping":
        readiness.unready("it stops");
        break;
      case "main-pid":
        life.speaks = true;
        main.named(notice.pid);
        break;
      case "extend":
        life.speaks = true;
        readiness.extend(notice.by);
        if (owner.phase !== "running") watchdog.extend(notice.by);
        break;
      case "watchdog":
        watchdog.sign();
        break;
      case "watchdog-every":
        watchdog.expect(notice.period);
        break;
      case "unready":
        readiness.unready(notice.why);
        break;
      case "cannot":
        life.cannot = { why: notice.why, passing: notice.passing };
        break;
      case "port-owners":
        life.portOwners = notice.uids;
        break;
      case "built":
        // Said once more: nothing is built any longer.
        break;
      case "watchdog-trigger":
        owner.happen("timed-out", "its watchdog asked for a restart");
    }
  }

  life.watcher = {
    hear,
    onOutput: (stream, bytes) => readiness.onOutput(stream, bytes),
    spawnedEnded: (how) => main.spawnedEnded(how),
  };
  // Named to the daemon before.
  if (life.mainPid !== undefined) main.named(life.mainPid);
  if (life.exit !== undefined) main.spawnedEnded(life.exit);
  if (!life.isBuilding) start();
}
