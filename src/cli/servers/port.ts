/** `localhostess port <name>` -> the port that a server listens on itself. */
import { serviceRow } from "../../routes/service-row.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { lookUp, tellAbsent, tellDoubt } from "../shared/reach.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { exitCode } from "../shared/exit-code.ts";
import type { World } from "../shared/world.ts";

export async function port(name: string, flags: Flags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const { reached, sight } = await lookUp(name, { settings, world });
  if (reached.kind === "absent") {
    tellAbsent(reached.supervised, world);
    return exitCode.failed;
  }
  tellDoubt(reached, world);
  const row = serviceRow(reached.service, sight.urlPorts.http);
  if (settings.json) printJson(world, row);
  else if (row.port === null) {
    throw new Failure(
      "unsupported",
      `${row.name} listens on the unix socket ${row.address}, and on no port`,
    );
  } else world.out.write(`${row.port}\n`);
  return exitCode.done;
}
