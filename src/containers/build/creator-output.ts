/** Lines of a lifecycle, and its exit code -> the phase that it is in, and a sentence on how it ended. Pure. */
import { creatorProgram } from "./creator-words.ts";

export const buildPhases = [
  "analyzing",
  "detecting",
  "restoring",
  "building",
  "exporting",
] as const;

export type BuildPhase = (typeof buildPhases)[number];

/** Characters. A longer line is a flood, and is cut there. */
const longestLine = 64 * 1024;

export type CreatorOutputOptions = {
  /** A line, without its end. */
  line(text: string): void;
  /** Another phase has begun. */
  phase(phase: BuildPhase): void;
};

/** `===> DETECTING`, with colours where a lifecycle does not leave them out. */
const heading = /^(?:\x1b\[[0-9;]*m)*===> ([A-Z]+)\b/;
const failing = /^(?:\x1b\[[0-9;]*m)*ERROR: (.+?)(?:\x1b\[[0-9;]*m)*$/;

export class CreatorOutput {
  phase: BuildPhase | undefined;
  /** The first that the lifecycle itself has said of a failure. */
  failure: string | undefined;
  /** The last line so far. */
  last = "";
  readonly #options: CreatorOutputOptions;
  /** A line of one stream does not go on in the other. */
  readonly #held = { stdout: "", stderr: "" };
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  constructor(options: CreatorOutputOptions) {
    this.#options = options;
  }

  take(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    const text = this.#held[stream] + this.#decoders[stream].decode(bytes, { stream: true });
    const lines = text.split(/\r*\n/);
    this.#held[stream] = lines.pop()!;
    for (const line of lines) this.#say(line);
    while (this.#held[stream].length > longestLine) {
      this.#say(this.#held[stream].slice(0, longestLine));
      this.#held[stream] = this.#held[stream].slice(longestLine);
    }
  }

  /** The last line need not have an end. */
  end(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      if (this.#held[stream] !== "") this.#say(this.#held[stream]);
      this.#held[stream] = "";
    }
  }

  #say(line: string): void {
    const word = heading.exec(line)?.[1]?.toLowerCase();
    const phase = buildPhases.find((its) => its === word);
    if (phase !== undefined) {
      this.phase = phase;
      this.#options.phase(phase);
    }
    this.failure ??= failing.exec(line)?.[1];
    if (line.trim() !== "") this.last = line;
    this.#options.line(line);
  }
}

export type Ending = {
  code: number;
  output: Pick<CreatorOutput, "phase" | "failure" | "last">;
  /** `heroku/builder:24`. */
  builder: string;
  /** The folder, as it is shown. */
  folder: string;
};

/** A sentence on an exit code that is not 0. buildpacks/spec, platform.md, "creator", outputs. */
export function endingText({ code, output, builder, folder }: Ending): string {
  const { failure, phase, last } = output;
  if (phase === undefined && isUnstarted(last)) return unstartedText(last, { builder });
  const said = failure === undefined ? "" : `: ${shortened(failure)}`;
  if (code === 11) return `${builder} refuses the Platform API that its labels name${said}`;
  if (code === 12)
    return `${builder} has a buildpack of an API that its lifecycle does not know${said}`;
  if (code === 20) {
    const what =
      "name those that do, in build = { buildpacks = [...] }, or add the files they look for";
    return `no group of buildpacks of ${builder} fits ${folder}; ${what}`;
  }
  if (/permission denied.*docker\.sock|docker\.sock.*permission denied/i.test(failure ?? "")) {
    return `${builder} may not use the socket of its engine${said}; a rootful Docker, or Docker's rootless one, lets it`;
  }
  const known = endings.find(({ from }) => code >= from && code < from + 10);
  const at = known?.phase ?? phase;
  const where = at === undefined ? "before its first phase" : `while ${at}`;
  const who = code === 51 ? "a buildpack" : "its lifecycle";
  return `${builder} failed ${where}: ${who} ended with exit code ${code}${said}`;
}

/** Words of the init process inside, which starts the lifecycle. */
function isUnstarted(text: string): boolean {
  return (
    /exec format error/i.test(text) || (text.includes(creatorProgram) && /no such file/i.test(text))
  );
}

/** A sentence on a container that could not be made or started. */
export function unstartedText(
  why: string,
  { builder, socket = "" }: { builder: string; socket?: string },
): string {
  if (/exec format error/i.test(why)) {
    const how =
      "use one for the engine's own, or an engine that translates it, such as Docker Desktop";
    return `${builder} is for another architecture; ${how}`;
  }
  if (why.includes(creatorProgram)) {
    return `${builder} has no ${creatorProgram}, which makes its images; use another builder`;
  }
  if (/docker\.sock|bind source path|statfs|\bmount/i.test(why)) {
    const how =
      "use an engine that can, such as Docker, or start Podman's with: systemctl --user start podman.socket";
    return `the engine cannot mount its own socket ${socket}, by which ${builder} makes images: ${shortened(why)}; ${how}`;
  }
  return `${builder} cannot be run: ${shortened(why)}`;
}

const endings: readonly { from: number; phase: BuildPhase }[] = [
  { from: 20, phase: "detecting" },
  { from: 30, phase: "analyzing" },
  { from: 40, phase: "restoring" },
  { from: 50, phase: "building" },
  { from: 60, phase: "exporting" },
];

function shortened(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return plain.length > 240 ? `${plain.slice(0, 240)}…` : plain;
}
