/** The ports that only root may listen on -> sockets that listen there, from the installed helper; or why not. */
import { closeSync } from "node:fs";
import { runCommand } from "../system/command.ts";
import { descriptorCalls, type DescriptorCalls } from "../system/descriptors.ts";
import { listeningPlace } from "../system/listening-place.ts";
import { type InstalledOptions, installedPrograms } from "./installed.ts";
import { helperExit, helperName } from "./places.ts";

/** The ports that the helper gives. */
export const helperPorts: readonly number[] = [80, 443];

export type HelperSocket = { address: string; port: number; descriptor: number };

export type HelperAnswer =
  /** `missing`: a line for each socket that could not be had. */
  | { kind: "sockets"; sockets: readonly HelperSocket[]; missing: readonly string[] }
  /** No helper is installed. */
  | { kind: "none" }
  /** Somebody else than root could have changed it. */
  | { kind: "unsafe"; why: string }
  /** This user is not listed. */
  | { kind: "refused"; why: string }
  | { kind: "version"; path: string; its: string }
  | { kind: "failed"; why: string };

export type AskOptions = InstalledOptions & {
  version: string;
  /** Milliseconds. */
  deadline?: number;
};

/** Milliseconds: it needs three of them, and a machine may be busy. */
const patience = 5_000;
/** Bytes: its version, or a sentence. */
const longestAnswer = 4_096;

/** Never rejects. Sockets that are not exactly what was asked for are closed. */
export async function askForPorts(
  ports: readonly number[],
  options: AskOptions,
): Promise<HelperAnswer> {
  let last: HelperAnswer = { kind: "none" };
  for (const its of installedPrograms(helperName, options)) {
    if (its.kind === "unsafe") return { kind: "unsafe", why: its.why };
    last = await ask(its.path, { ...options, ports });
    // A package may have another version than this program, beside which setup has put the right one.
    if (last.kind !== "version") return last;
  }
  return last;
}

type Asking = AskOptions & { ports: readonly number[] };

async function ask(
  path: string,
  { ports, version, deadline = patience }: Asking,
): Promise<HelperAnswer> {
  const calls = descriptorCalls(process.platform);
  const pair = calls?.pair();
  if (calls === undefined || pair === undefined) {
    return { kind: "failed", why: "no sockets can be made to ask the helper by" };
  }
  try {
    const ran = await runCommand([path, version, "bind", ...ports.map(String)], {
      env: {},
      deadline,
      limit: longestAnswer,
      third: pair.theirs,
    });
    if (ran.kind === "missing") return { kind: "failed", why: `${path} cannot be run` };
    if (ran.kind === "failed") return { kind: "failed", why: ran.why };
    const lines = ran.stderr.split("\n").filter((line) => line.trim() !== "");
    const why = lines[0] ?? `${path} ended with ${ran.code} and said nothing`;
    switch (ran.code) {
      case helperExit.done:
      case helperExit.failed: {
        const sockets = received(pair.ours, { calls, ports });
        if (sockets === undefined) return { kind: "failed", why: `${path} gave other sockets` };
        return sockets.length === 0
          ? { kind: "failed", why }
          : { kind: "sockets", sockets, missing: lines };
      }
      case helperExit.version:
        return { kind: "version", path, its: ran.stdout.trim() };
      case helperExit.refused:
        return { kind: "refused", why };
      default:
        return { kind: "failed", why };
    }
  } finally {
    closeSync(pair.theirs);
    // Descriptors that have arrived and were not taken are closed with it.
    closeSync(pair.ours);
  }
}

type ReceiveOptions = { calls: DescriptorCalls; ports: readonly number[] };

/** Undefined: what has come is no answer. Empty: nothing has come. */
function received(ours: number, { calls, ports }: ReceiveOptions): HelperSocket[] | undefined {
  const answer = calls.receive(ours);
  if (answer.kind === "short") return undefined;
  if (answer.kind !== "bytes") return [];
  const lines = new TextDecoder().decode(answer.bytes).split("\n").slice(0, -1);
  const taken: HelperSocket[] = [];
  let isAnswer = lines.length === answer.descriptors.length;
  const places = new Set<string>();
  answer.descriptors.forEach((descriptor, index) => {
    const [, family, number] = /^([46]) (\d{1,5})$/.exec(lines[index] ?? "") ?? [];
    const [address, port] = [family === "4" ? "127.0.0.1" : "::1", Number(number)];
    const its = listeningPlace(descriptor);
    const key = `${address} ${port}`;
    const isAsked =
      ports.includes(port) &&
      !places.has(key) &&
      its.kind === "listens" &&
      its.address === address &&
      its.port === port;
    places.add(key);
    if (isAsked) taken.push({ address, port, descriptor });
    else {
      isAnswer = false;
      closeSync(descriptor);
    }
  });
  if (isAnswer) return taken;
  for (const { descriptor } of taken) closeSync(descriptor);
  return undefined;
}
