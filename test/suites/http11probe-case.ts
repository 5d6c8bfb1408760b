/** A case of Http11Probe -> its verdict: its bytes sent, what comes read and judged, as Http11Probe's program does. */
import { connect, type Socket } from "node:net";
import { Fields } from "./c-sharp/runtime.ts";
import type { Target } from "./suite.ts";

export type Verdict = "Pass" | "Fail" | "Warn" | "Skip" | "Error";
type State = "Open" | "ClosedByServer" | "TimedOut" | "Error";
type Context = { HostHeader: string; Host: string; Port: number };
type Statuses = { from: number; to: number };

export type Answer = {
  StatusCode: number;
  ReasonPhrase: string;
  HttpVersion: string;
  Headers: Fields;
  Body: string | null;
  RawResponse: string;
};

type Part = { PayloadFactory(context: Context): number[]; DelayAfter?: number };

type Step = {
  PayloadFactory?(context: Context): number[];
  DynamicPayloadFactory?(context: Context, before: StepResult[]): number[];
  SendPartsFactory?(context: Context): Part[];
};

type StepResult = {
  Executed: boolean;
  Response: Answer | null;
  ConnectionState: State;
};

type Expected = {
  ExpectedStatus?: Statuses;
  ExpectedConnectionState?: State;
  AllowConnectionClose?: boolean;
  CustomValidator?(answer: Answer | null, state: State): Verdict;
};

export type Case = {
  Id: string;
  Description: string;
  Scored?: boolean;
  Expected: Expected;
  PayloadFactory?(context: Context): number[];
  Steps?: Step[];
  Validator?(steps: StepResult[]): Verdict;
};

/** Milliseconds: the program's own defaults. */
const readTimeout = 5_000;
const drainAfter = 100;
const settleAfter = 50;
/** Octets of an answer that are kept. */
const room = 65_536;

export async function runCase(
  one: Case,
  { port, host }: Target,
): Promise<{ verdict: Verdict; came: string }> {
  const context = { HostHeader: `${host}:${port}`, Host: host, Port: port };
  const client = new Client();
  try {
    await client.connect(port);
    if (one.Steps === undefined) {
      client.send(one.PayloadFactory!(context));
      const { answer, state } = await client.read();
      return { verdict: judged(one.Expected, { answer, state }), came: shown(answer, state) };
    }
    const results = await runSteps(one.Steps, { client, context });
    const came = results.map(({ Response, ConnectionState }) => shown(Response, ConnectionState));
    return { verdict: one.Validator!(results), came: came.join(", then ") };
  } catch (error) {
    return { verdict: "Error", came: String(error) };
  } finally {
    client.close();
  }
}

async function runSteps(
  steps: readonly Step[],
  { client, context }: { client: Client; context: Context },
): Promise<StepResult[]> {
  const results: StepResult[] = [];
  let current: State = "Open";
  for (const step of steps) {
    if (current !== "Open") {
      results.push({ Executed: false, Response: null, ConnectionState: current });
      continue;
    }
    for (const { PayloadFactory, DelayAfter = 0 } of partsOf(step, { context, results })) {
      client.send(PayloadFactory(context));
      if (DelayAfter === 0) continue;
      await Bun.sleep(DelayAfter);
      if (client.over) break;
    }
    const { answer, state } = await client.read();
    current = state;
    results.push({ Executed: true, Response: answer, ConnectionState: state });
  }
  return results;
}

function partsOf(
  step: Step,
  { context, results }: { context: Context; results: StepResult[] },
): Part[] {
  const { SendPartsFactory, DynamicPayloadFactory, PayloadFactory } = step;
  if (SendPartsFactory !== undefined) return SendPartsFactory(context);
  if (DynamicPayloadFactory !== undefined) {
    return [{ PayloadFactory: () => DynamicPayloadFactory(context, results) }];
  }
  return [{ PayloadFactory: PayloadFactory! }];
}

function judged(
  expected: Expected,
  { answer, state }: { answer: Answer | null; state: State },
): Verdict {
  const { CustomValidator, ExpectedStatus, ExpectedConnectionState, AllowConnectionClose } =
    expected;
  if (CustomValidator !== undefined) return CustomValidator(answer, state);
  if (ExpectedConnectionState !== undefined && state === ExpectedConnectionState) return "Pass";
  if (answer === null) return AllowConnectionClose === true ? "Pass" : "Fail";
  if (ExpectedStatus === undefined) return "Fail";
  const { from, to } = ExpectedStatus;
  return answer.StatusCode >= from && answer.StatusCode <= to ? "Pass" : "Fail";
}

function shown(answer: Answer | null, state: State): string {
  return `${answer === null ? "no answer" : answer.StatusCode}, ${state}`;
}

/** One connection: an answer is what has come a tenth of a second after the first whole head. */
class Client {
  over = false;
  #failed = false;
  #socket: Socket | undefined;
  #bytes = Buffer.alloc(0);
  #tell: () => void = () => {};

  async connect(port: number): Promise<void> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => {
      if (this.#bytes.length < room) this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#tell();
    });
    const ended = (): void => {
      this.over = true;
      this.#tell();
    };
    socket.on("end", ended);
    socket.on("close", ended);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    socket.on("error", ended);
  }

  send(bytes: readonly number[]): void {
    if (!this.#failed && bytes.length > 0) this.#socket!.write(Uint8Array.from(bytes));
  }

  async read(): Promise<{ answer: Answer | null; state: State }> {
    const headed = (): boolean => this.#bytes.includes("\r\n\r\n");
    const deadline = performance.now() + readTimeout;
    while (!headed() && !this.over && performance.now() < deadline) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - performance.now());
        this.#tell = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    let state: State = headed() ? "Open" : this.over ? "ClosedByServer" : "TimedOut";
    if (state === "Open") {
      await Bun.sleep(drainAfter);
      const answer = this.#take();
      await Bun.sleep(settleAfter);
      if (this.over) state = "ClosedByServer";
      return { answer, state };
    }
    return { answer: this.#take(), state };
  }

  close(): void {
    this.#socket?.destroy();
  }

  #take(): Answer | null {
    const text = this.#bytes.subarray(0, room).toString("latin1");
    this.#bytes = Buffer.alloc(0);
    return answerIn(text);
  }
}

/** The first answer in `text`, and all of it. */
export function answerIn(text: string): Answer | null {
  const lines = text.split("\n").map((line) => line.replace(/\r+$/, ""));
  const match = /^(\S+) (\d+)(?: (.*))?$/.exec(lines[0] ?? "");
  if (match === null || lines.length < 2) return null;
  const fields = new Fields();
  for (const line of lines.slice(1)) {
    if (line === "") break;
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim();
    const value = line.slice(colon + 1).trim();
    const known = fields.get(name);
    fields.set(name, known === undefined ? value : `${known}, ${value}`);
  }
  const end = text.indexOf("\r\n\r\n");
  const body = end === -1 || end + 4 >= text.length ? null : text.slice(end + 4, end + 4 + 4_096);
  return {
    HttpVersion: match[1]!,
    StatusCode: Number(match[2]),
    ReasonPhrase: match[3] ?? "",
    Headers: fields,
    Body: body,
    RawResponse: text.slice(0, 8_192),
  };
}
