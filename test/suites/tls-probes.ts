/** Probes of a proxy's TLS, each a connection of its own -> a score. */
import { type Socket, connect } from "node:net";
import { readAnswer, type TlsAnswer } from "./tls/answer.ts";
import { type Probe, probes } from "./tls/probes.ts";
import { type Score, scoreOf, type Suite, type Target } from "./suite.ts";

/** Milliseconds for the first answer. */
const within = 2_500;

export const tlsProbes: Suite = {
  label: "tls",
  title: "own TLS probes",
  behind: "echo",
  run: runProbes,
};

/** One after another: the last one shows that those before did no harm. */
export async function runProbes({
  securePort,
  host,
}: Pick<Target, "securePort" | "host">): Promise<Score> {
  const results: { name: string; why: string | undefined }[] = [];
  for (const probe of probes) {
    const answer = await ask(probe, { port: securePort, host });
    results.push({ name: probe.name, why: probe.wrong(answer) });
  }
  return scoreOf(results);
}

async function ask(
  probe: Probe,
  { port, host }: { port: number; host: string },
): Promise<TlsAnswer> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
  try {
    const answered = answerOf(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    const made = probe.bytes(host);
    for (const piece of Array.isArray(made) ? (made as Buffer[]) : [made as Buffer]) {
      if (socket.destroyed) break;
      await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    }
    if (probe.ends === true) socket.end();
    return await answered;
  } finally {
    socket.destroy();
  }
}

function answerOf(socket: Socket): Promise<TlsAnswer> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    const look = (over: boolean): void => {
      const answer = readAnswer(bytes, { over });
      if (answer === undefined) return;
      clearTimeout(timer);
      resolve(answer);
    };
    const timer = setTimeout(() => resolve({ kind: "nothing" }), within);
    socket.on("data", (piece: Buffer) => {
      bytes = Buffer.concat([bytes, piece]);
      look(false);
    });
    for (const event of ["end", "close", "error"]) socket.on(event, () => look(true));
  });
}
