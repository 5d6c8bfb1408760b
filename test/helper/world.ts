/**
 * The two helpers, built from source -> a mount and network namespace of their own in which attackers call them, so
 * that neither /etc nor the ports of this machine are touched.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { lacking, type ProgramName, whereIs } from "../support/debian.ts";

const root = resolve(import.meta.dir, "../..");

/** A program of the two: `.plain` is a copy without any right. */
export type Program =
  | "localhostess-helper"
  | "localhostess-hosts"
  | "localhostess-helper.plain"
  | "localhostess-hosts.plain";

/** How a hostile caller starts a program: `attack` in attacker.py. Bytes are Latin-1. */
export interface Attack {
  program: Program;
  /** With the program's own name. */
  argv: readonly string[];
  uid?: number;
  groups?: readonly number[];
  env?: Record<string, string>;
  /** What descriptor 3 is. */
  three?: string;
  held?: number;
  closed?: readonly number[];
  /** Soft and hard; -1 is none. */
  limits?: Record<string, readonly [number, number]>;
  umask?: number;
  cwd?: "deleted";
  signals?: "ignored" | "blocked";
  /** Seconds. */
  alarm?: number;
  nice?: number;
  stdin?: string;
  "stdin kind"?: "text" | "endless" | "open";
  errors?: "full";
  "namespace uid"?: number;
  "no new privileges"?: boolean;
}

export interface Outcome {
  /** Negative: the signal that ended it. */
  code: number;
  out: string;
  err: string;
  message: null | { text: string; listeners: Record<string, unknown>[] };
  seconds: number;
}

export interface World extends AsyncDisposable {
  version: string;
  /** /etc of the namespace, from outside. */
  etc: string;
  attack(attack: Attack): Promise<Outcome>;
  order<T>(kind: string, order: unknown): Promise<T>;
  /** @throws where it fails. */
  command(...words: string[]): Promise<void>;
}

/** Of attacker.py: what came of an order, or why it could not be carried out. */
type Answer = { is?: unknown; failed?: string };

const needed = ["musl-gcc", "setcap", "python3"] as const satisfies readonly ProgramName[];

/** Only root may make such namespaces and give such rights; a container's root may not either. */
export const canAttack =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  needed.every((its) => whereIs(its) !== undefined) &&
  Bun.spawnSync(["unshare", "-m", "-n", "true"]).success;

/** Behind a test's name: where it does not run, this says why. */
export const byAttack = canAttack ? "" : `${lacking(needed)} (as root, with namespaces)`;

/** Whether root may raise a hard limit here: many containers take CAP_SYS_RESOURCE away. */
export const canRaise =
  process.platform === "linux" &&
  (BigInt(`0x${/CapBnd:\s*(\w+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]}`) &
    (1n << 24n)) !==
    0n;

export const platform = `linux-${process.arch}` as const;

/** @throws where a program cannot be built. */
export function build(folder: string, ...more: string[]): void {
  const words = [join(root, "scripts/build-helper"), "--out", folder, ...more];
  const built = Bun.spawnSync(words, { stdout: "pipe", stderr: "pipe" });
  if (!built.success) throw new Error(built.stderr.toString());
}

export async function helperWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "localhostess-helper-"));
  build(folder, "--only", platform);
  const start = join(folder, platform, "start");
  const compiled = Bun.spawnSync(
    [
      "musl-gcc",
      "-static",
      "-O1",
      "-D_GNU_SOURCE",
      "-o",
      start,
      join(import.meta.dir, "c/start.c"),
    ],
    { stdout: "pipe", stderr: "pipe" },
  );
  if (!compiled.success) throw new Error(compiled.stderr.toString());
  const script = join(import.meta.dir, "attacker.py");
  const words = ["unshare", "-m", "-n", "python3", script, join(folder, platform)];
  const child = Bun.spawn(words, { cwd: "/", stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const waiting = new Map<number, (answer: Answer) => void>();
  let orders = 0;
  const ready = Promise.withResolvers<void>();
  const reading = (async () => {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const bytes of child.stdout) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (line === "") {
          ready.resolve();
          continue;
        }
        const answer = JSON.parse(line) as Answer & { id: number };
        waiting.get(answer.id)?.(answer);
        waiting.delete(answer.id);
      }
    }
    ready.reject(new Error("the namespace could not be prepared"));
    for (const answer of waiting.values()) answer({ failed: "the namespace has ended" });
  })();
  await ready.promise;
  const order = async <T>(kind: string, its: unknown): Promise<T> => {
    const id = orders++;
    const answer = await new Promise<Answer>((resolve) => {
      waiting.set(id, resolve);
      child.stdin.write(`${JSON.stringify({ id, kind, order: its })}\n`);
      child.stdin.flush();
    });
    if (answer.failed !== undefined) throw new Error(answer.failed);
    return answer.is as T;
  };
  return {
    version: (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string })
      .version,
    etc: `/proc/${child.pid}/root/etc`,
    attack: (attack) => order<Outcome>("attack", attack),
    order,
    async command(...its) {
      const { code, err } = await order<{ code: number; err: string }>("command", { words: its });
      if (code !== 0) throw new Error(`${its.join(" ")}: ${err}`);
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await child.exited;
      await reading;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The hosts file before each attack. */
export const hostsBefore = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n";

/** User 1000 may everything, 1001 only ports, 1002 only the hosts file, and everybody else nothing. */
export const usersBefore = "# who may\n1000 ports hosts\n1001 ports\n1002 hosts\n";

/** A fresh /etc. */
export function prepareEtc(
  world: World,
  { hosts = hostsBefore, users = usersBefore, domains = "test\n" } = {},
): void {
  const ours = join(world.etc, "localhostess");
  rmSync(ours, { recursive: true, force: true });
  mkdirSync(ours, { mode: 0o755 });
  rmSync(join(world.etc, "hosts"), { recursive: true, force: true });
  writeFileSync(join(world.etc, "hosts"), Buffer.from(hosts, "latin1"), { mode: 0o644 });
  writeFileSync(join(ours, "users"), users, { mode: 0o644 });
  writeFileSync(join(ours, "domains"), domains, { mode: 0o644 });
}

export function hostsNow(world: World): string {
  return readFileSync(join(world.etc, "hosts"), "latin1");
}
