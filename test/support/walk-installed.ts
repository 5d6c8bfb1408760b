/** An installed program -> its first minute: a version, a daemon, a request that it routes, and its end. */
import { testServer } from "../cli/server-process.ts";
import { daemonPlace } from "./daemon-place.ts";
import { type Installed, nothing, type Packaged } from "./packaged.ts";

export type WalkOptions = Pick<Packaged, "outputOf"> & { version: string };

/** @throws where anything of it is not as it is to be. */
export async function walkInstalled(
  { program, env: own }: Installed,
  { version, outputOf }: WalkOptions,
): Promise<void> {
  await using place = await daemonPlace();
  await using server = await testServer();
  const env = { ...nothing(), ...own, ...place.env };
  const says = async (words: readonly string[], wanted: string): Promise<void> => {
    const { out } = await outputOf([program, ...words], { env });
    if (!out.includes(wanted)) throw new Error(`${words.join(" ")} says ${out}, not ${wanted}`);
  };
  await says(["version"], `${version}\n`);
  await says(["server", "start", "--detach", "--port", "0"], "http://");
  const { port } = await place.running();
  const answer = await fetch(`http://127.0.0.1:${port}/minute`, {
    headers: { host: `${server.name}.localhost` },
  });
  const text = await answer.text();
  if (!text.includes("/minute")) throw new Error(`the answer is ${text}`);
  await says(["server", "stop"], "stopped");
  if (place.pids().length > 0) throw new Error("the daemon has not ended");
}
