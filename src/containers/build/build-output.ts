/** The bytes of an answer to a build -> its output, its step, and how it ended. Holds one line at most. Pure. */
import { isTable, tableInLine } from "../json-line.ts";
import { shownSize } from "../../text/size.ts";
import { PullProgress } from "../runs/pull-progress.ts";
import { traceIn } from "./build-trace.ts";

/** Characters. A longer line is a flood, and is cut there. */
const longestLine = 64 * 1024;

/** Characters of a value of the engine's. It has 32 KiB of output at most, each byte of which may be six. */
const longestNews = 1024 * 1024;

export type BuildOutputOptions = {
  /** A line of the build's output, without its end. */
  line(text: string): void;
};

/** `Step 3/7 : RUN make` of Docker, `[1/2] STEP 3/4: RUN make` of Podman. */
const classicStep = /^(?:\[(\d+)\/(\d+)\] )?step (\d+)\/(\d+) ?: ?(.*)$/i;
/** `[build 3/7] RUN make` of BuildKit, and `[3/7] RUN make` where it has one stage only. */
const tracedStep = /^\[(?:([^\]]+) )?(\d+)\/(\d+)\] (.*)$/;
/** Lines on containers and layers of a step, which say nothing to a person. */
const noise =
  /^(?: *--->|-->|Removing (?:intermediate )?container|Successfully (?:built|tagged)|(?:\[\d+\/\d+\] )?COMMIT|[0-9a-f]{64}$|$)/;
/** The step by which the image gets our label. */
const ownStep = /^LABEL "?localhostess\./;

export class BuildOutput {
  /** The id of the image: that of the last stage so far. */
  image: string | undefined;
  /** The engine's own words where it has failed. */
  failure: string | undefined;
  /** `3/7`, with the stage of several: `3/7 of build`. */
  step: string | undefined;
  /** `RUN make`. */
  instruction: string | undefined;
  readonly #options: BuildOutputOptions;
  readonly #decoder = new TextDecoder();
  readonly #pull = new PullProgress();
  readonly #begun = new Set<string>();
  #line = "";
  #text = "";

  constructor(options: BuildOutputOptions) {
    this.#options = options;
  }

  take(bytes: Uint8Array): void {
    const lines = (this.#line + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#line = lines.pop()!;
    for (const line of lines) this.#read(line);
    if (this.#line.length > longestNews) this.#line = "";
  }

  /** The last line need not have an end. */
  end(): void {
    this.#read(this.#line);
    this.#line = "";
    this.#say("\n");
  }

  /** `step 3/7`; `step 1/7, pulling 34 % of 41 MiB`. Undefined: it has not begun. */
  get text(): string | undefined {
    if (this.step === undefined) return undefined;
    const pulled = this.#pull.text;
    const isFirst = /^FROM\b/i.test(this.instruction ?? "");
    return `step ${this.step}${isFirst && pulled !== undefined ? `, pulling ${pulled}` : ""}`;
  }

  #read(line: string): void {
    if (line.trim() === "") return;
    const news = tableInLine(line);
    const { stream, status, error, errorDetail, aux, id } = news;
    if (typeof stream === "string") this.#say(stream);
    if (typeof status === "string") this.#pull.take(Buffer.from(`${line}\n`));
    const detail = isTable(errorDetail) ? errorDetail.message : undefined;
    const failure = [error, detail].find((its) => typeof its === "string" && its !== "");
    if (failure !== undefined) this.failure = String(failure).trim();
    if (id === "moby.buildkit.trace" && typeof aux === "string") this.#trace(aux);
    else if (isTable(aux) && typeof aux.ID === "string") this.image = aux.ID;
  }

  #trace(encoded: string): void {
    const { steps, output } = traceIn(Buffer.from(encoded, "base64"));
    for (const { digest, name, hasBegun, error } of steps) {
      const match = tracedStep.exec(name);
      if (match !== null && (hasBegun || error !== "")) {
        const [, stage, number, all, instruction] = match;
        const of = stage === undefined || /^stage-\d+$/.test(stage) ? "" : ` of ${stage}`;
        // Steps of several stages run at the same time: the one that has failed is the one to name.
        if (!this.#begun.has(digest) || error !== "") {
          this.step = `${number}/${all}${of}`;
          this.instruction = instruction;
        }
        if (!this.#begun.has(digest)) this.#say(`\nStep ${this.step} : ${instruction}\n`);
        this.#begun.add(digest);
      }
    }
    for (const bytes of output) this.#say(new TextDecoder().decode(bytes));
  }

  /** Output comes in pieces; BuildKit's and Docker's ends are bare, and a progress bar's is a carriage return. */
  #say(text: string): void {
    const lines = (this.#text + text).split(/\r*\n/);
    this.#text = lines.pop()!;
    while (this.#text.length > longestLine) {
      lines.push(this.#text.slice(0, longestLine));
      this.#text = this.#text.slice(longestLine);
    }
    for (const line of lines) {
      const match = classicStep.exec(line);
      if (match !== null) {
        const [, stage, stages, number, all, instruction] = match;
        this.step = `${number}/${all}${stage === undefined ? "" : ` of stage ${stage}/${stages}`}`;
        this.instruction = instruction;
      }
      const isNoise = noise.test(line) || (match !== null && ownStep.test(match[5]!));
      if (!isNoise) this.#options.line(line);
    }
  }
}

export type Failing = {
  output: Pick<BuildOutput, "step" | "instruction" | "failure">;
  /** The file that has the steps. */
  dockerfile: string;
};

/** A sentence on a build that has failed: `step 3/7 of Dockerfile failed with exit code 2: RUN make`. */
export function failureText({ output, dockerfile }: Failing): string {
  const why = output.failure ?? "the engine has ended it without a word";
  if (output.step === undefined) return `${dockerfile} cannot be built: ${sentence(why)}`;
  const where = `step ${output.step} of ${dockerfile} failed`;
  const what = shortened(output.instruction ?? "");
  const exit = /(?:non-zero code|exit (?:status|code)): ?(\d+)|exit status (\d+)/.exec(why);
  if (exit !== null) return `${where} with exit code ${exit[1] ?? exit[2]}: ${what}`;
  const history = /(?:^|[\s"/])\.git(?:["/\s:]|$)/.test(why)
    ? "; the repository's history is sent only if .dockerignore has the line !.git"
    : "";
  return `${where}: ${what}: ${sentence(why)}${history}`;
}

function sentence(why: string): string {
  const plain = why
    .replace(/^building at STEP "(?:[^"\\]|\\.)*": /, "")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
  return plain.length > 240 ? `${plain.slice(0, 240)}…` : plain;
}

function shortened(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return plain.length > 80 ? `${plain.slice(0, 80)}…` : plain;
}

/** The size of a context of which a person should know: sending it takes longer than building does. */
export const largeContext = 100 * 1024 * 1024;

export function contextNote(size: number, { folder }: { folder: string }): string {
  return `${shownSize(size)} of ${folder} were sent to the engine; what the image does not need can be left out by .dockerignore`;
}
