/** A step on the way from a URL to its server -> how it is reported; and what every step knows of the walk. */
import type { Answer } from "../shared/ask.ts";
import type { Sight } from "../shared/look.ts";
import { plainLine } from "../shared/last-lines.ts";
import type { WantedTarget } from "../shared/reach.ts";
import type { Settings } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";

export const stepNames = [
  "resolves",
  "listens",
  "routes",
  "owner",
  "hop",
  "dials",
  "certificate",
  "guard",
  "answers",
] as const;

export type Step = {
  /** `hop`: other machines only. `certificate`: https only. `guard`: servers for which something was refused. */
  step: (typeof stepNames)[number];
  ok: boolean;
  detail: string;
  /** The remedy; null where nothing needs to be done. */
  fix: string | null;
  /** The last lines of a service that has ended. */
  lines?: readonly string[];
};

export type Walk = {
  target: WantedTarget;
  sight: Sight;
  /** The port that the URL leads to. */
  port: number;
  /** The host as a browser shows it in the address bar. */
  host: string;
  /** The name is not under `localhost`: browsers reach it through the PAC file, whatever its port. */
  byPac: boolean;
  settings: Settings;
  /** Where config.toml is, or would be. */
  configFile: string;
};

/** Milliseconds. Everything is on this machine, so that anything slower does not work. */
export const connectDeadline = 2000;

export function tellStep({ step, ok, detail, fix, lines = [] }: Step, { out }: World): void {
  const { colors } = out;
  const mark = ok ? colors.green("ok  ") : colors.red("fail");
  out.write(`${mark}  ${step.padEnd(8)}  ${detail}\n`);
  const indent = " ".repeat(16);
  for (const line of lines) out.write(`${indent}${colors.dim(`| ${plainLine(line)}`)}\n`);
  if (fix !== null) out.write(`${indent}${colors.yellow(`-> ${fix}`)}\n`);
}

export function passed(step: Step["step"], detail: string, fix: string | null = null): Step {
  return { step, ok: true, detail, fix };
}

export function failed(step: Step["step"], detail: string, fix: string | null): Step {
  return { step, ok: false, detail, fix };
}

export function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

/** A whole request for a path or a URL, as the steps send it. */
export function requestOf(target: string, host: string): string {
  return [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}`,
    "User-Agent: localhostess",
    "Accept: */*",
    "Connection: close",
    "\r\n",
  ].join("\r\n");
}

/** Only our own pages say so; an app's answer carries its own Server field. */
export function isOurs(answer: Answer): boolean {
  return answer.kind === "answer" && answer.server === "localhostess";
}
