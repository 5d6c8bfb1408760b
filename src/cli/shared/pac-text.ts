/** The proxy's port -> the text of its PAC file: as the running proxy serves it, or as one without names would. */
import { type PacFacts, pacFile } from "../../../pac/proxy.pac.ts";
import { httpRequest } from "../../control/found/http-request.ts";
import { systemClock } from "../../system/clock.ts";

export type PacTextOptions = Omit<PacFacts, "names"> & {
  /** Whether a proxy is known to run there. */
  running: boolean;
};

/** Milliseconds; the proxy looks at the machine before it answers. */
const patience = 5_000;

export async function pacText({ running, ...facts }: PacTextOptions): Promise<string> {
  const withoutNames = pacFile({ ...facts, names: [] });
  if (!running) return withoutNames;
  const answer = await httpRequest({
    address: "127.0.0.1",
    port: facts.port,
    method: "GET",
    path: "/proxy.pac",
    deadline: patience,
    clock: systemClock,
  });
  return answer.kind === "answer" && answer.status === 200 ? answer.body : withoutNames;
}
