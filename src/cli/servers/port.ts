/** `localhostess port <name>` -> the port that a server listens on itself. */
import { serviceRow } from "../../routes/service-row.ts";
import { turnOf } from "../../routes/turn.ts";
import { exitCode } from "../shared/exit-code.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { lookUp, NoAddress, type Present, tellAbsent, tellDoubt } from "../shared/reach.ts";
import { type Flags, type Settings, settingsOf } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";

export async function port(name: string, flags: Flags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const { reached, httpPort } = await found(name, { settings, world });
  if (reached.kind === "absent") {
    tellAbsent(reached.supervised, world);
    return exitCode.failed;
  }
  tellDoubt(reached, world);
  const row = serviceRow(reached.service, httpPort);
  if (settings.json) printJson(world, row);
  else if (row.port === null) {
    throw new Failure(
      "unsupported",
      `${row.name} listens on the unix socket ${row.address}, and on no port`,
    );
  } else world.out.write(`${row.port}\n`);
  return exitCode.done;
}

/** A database is found too: it has a port and no address. */
async function found(
  name: string,
  { settings, world }: { settings: Settings; world: World },
): Promise<{ reached: Present; httpPort: number }> {
  try {
    const { reached, sight } = await lookUp(name, { settings, world });
    return { reached, httpPort: sight.urlPorts.http };
  } catch (failure) {
    const reached = failure instanceof NoAddress ? portedIn(failure) : undefined;
    if (reached === undefined) throw failure;
    return { reached, httpPort: 0 };
  }
}

function portedIn({ services }: NoAddress): Present | undefined {
  const [supervised, ...others] = services;
  if (supervised?.port === undefined || others.length > 0) return undefined;
  const turn = turnOf(supervised);
  if (turn !== undefined) return { kind: "absent", supervised, turn };
  const { id, port, pid, startedAt, directory, type } = supervised;
  const service = {
    name: id,
    routable: false,
    endpoint: { address: "127.0.0.1", port, dial: ["127.0.0.1"] },
    process: pid === undefined ? undefined : { pid, startedAt: startedAt ?? 0 },
    pids: pid === undefined ? [] : [pid],
    ports: [port],
    command: type,
    cwd: directory,
    source: "LOCALHOSTESS_NAME" as const,
    warnings: [`a ${type} has no address`],
  };
  return { kind: "server", service, supervised };
}
