/** `localhostess url <name>` -> the URL of a server, for scripts. */
import { serviceRow, serviceUrl } from "../../routes/service-row.ts";
import { stateSentence } from "../../routes/state-sentence.ts";
import type { Supervised, SupervisedState } from "../../routes/supervised.ts";
import { printJson } from "../shared/json-output.ts";
import { lookUp, tellAbsent, tellComing } from "../shared/reach.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { exitCode } from "../shared/exit-code.ts";
import type { World } from "../shared/world.ts";

/** In the place of the row of a server that listens: a request waits for this service, or starts it. */
export type AbsentRow = {
  name: string;
  url: string;
  /** `shop:api`. */
  id: string;
  state: SupervisedState;
  /** Its state, the cause and the command that helps. */
  message: string;
};

export async function url(name: string, flags: Flags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const { reached, sight, target } = await lookUp(name, { settings, world });
  // The name as typed: `x.api` leads to `api`, which may serve another page for it.
  const address = serviceUrl(target.name, sight.urlPorts.http);
  if (reached.kind === "absent" && reached.turn === "down") {
    tellAbsent(reached.supervised, world);
    return exitCode.failed;
  }
  const row =
    reached.kind === "absent"
      ? absentRow(reached.supervised, { name: target.name, url: address })
      : { ...serviceRow(reached.service, sight.urlPorts.http), url: address };
  tellComing(reached, world);
  if (settings.json) printJson(world, row);
  else world.out.write(`${address}\n`);
  return exitCode.done;
}

function absentRow(its: Supervised, { name, url }: { name: string; url: string }): AbsentRow {
  return { name, url, id: its.id, state: its.state, message: stateSentence(its) };
}
