/** A name that no server has -> the container that would have it, or the engine that could not be asked. */
import { homedir } from "node:os";
import type { Config } from "../../manifest/config.ts";
import { containerName } from "../../containers/container-name.ts";
import { lookOnce } from "../../containers/one-look.ts";
import { systemClock } from "../../system/clock.ts";
import { printable } from "../../text/printable.ts";

export type HiddenContainer = {
  /** A clause. */
  detail: string;
  fix: string;
};

/** Milliseconds: a person waits. */
const deadline = 500;

export type HiddenContainerOptions = {
  config: Config;
  env?: Readonly<Record<string, string | undefined>>;
  home?: string;
};

export async function hiddenContainer(
  name: string,
  { config, env = process.env, home = homedir() }: HiddenContainerOptions,
): Promise<HiddenContainer | undefined> {
  const { engines } = await lookOnce({
    ...{ clock: systemClock, env, home, deadline, uid: process.getuid?.() ?? 0 },
    wanted: config.containers?.value ?? true,
  });
  const its = engines
    .flatMap(({ containers }) => containers)
    .find((one) => one.ports.length === 0 && containerName(one)?.name === name);
  if (its !== undefined) {
    const detail = `container ${printable(its.name, 80)} has that name, and publishes no TCP port`;
    return { detail, fix: "publish one: ports in its Compose file, or docker run -p" };
  }
  const ill = engines.find(({ trouble, isDead }) => trouble !== undefined && !isDead);
  if (ill === undefined) return undefined;
  const detail = `containers of the engine at ${ill.path} are not known: ${ill.trouble}`;
  return { detail, fix: "localhostess doctor" };
}
