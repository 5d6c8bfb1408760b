/** An address and a port -> whether the server there speaks TLS. */
import { speaksTls } from "../../link/speaks-tls.ts";
import { systemClock } from "../../system/clock.ts";
import { ask, noAnswer } from "../shared/ask.ts";
import { requestOf } from "./step.ts";

/** Milliseconds. A port of TLS closes at once. */
const probeDeadline = 250;

/** TLS is tried only where a plain request, which has no effect on any server, is not answered in HTTP, or with 400. */
export async function isSecured(address: string, port: number): Promise<boolean> {
  const answer = await ask({
    address,
    port,
    deadline: probeDeadline,
    request: requestOf("*", `localhost:${port}`).replace("GET", "OPTIONS"),
  });
  const doubtful =
    answer.kind === "failed"
      ? answer.why !== noAnswer(probeDeadline)
      : answer.kind === "answer" && answer.status === 400;
  return doubtful && (await speaksTls({ address, port }, systemClock)) === true;
}
