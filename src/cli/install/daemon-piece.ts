/** State directories -> the daemons that run with them, each a piece. */
import { basename } from "node:path";
import { listed } from "../../text/list.ts";
import { serverStop } from "../daemon/server-stop.ts";
import { findRunning } from "../shared/daemon-here.ts";
import { settingsOf } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import type { Found, Here, Piece } from "./piece.ts";
import { quiet } from "./quiet.ts";

export async function daemonPieces({ world }: Here, states: readonly string[]): Promise<Found> {
  const pieces: Piece[] = [];
  for (const [at, state] of states.entries()) {
    const sandbox = at === 0 ? undefined : basename(state);
    const its: World =
      sandbox === undefined
        ? world
        : { ...world, env: { ...world.env, LOCALHOSTESS_SANDBOX: sandbox } };
    const found = await findRunning(await settingsOf({}, its, { withoutConfig: true }));
    if (found.registration === undefined && found.kind === "absent") continue;
    const pid = found.registration?.pid;
    const words = [
      ...(pid === undefined ? [] : [`pid ${pid}`]),
      ...(sandbox === undefined ? [] : [`sandbox ${sandbox}`]),
    ];
    pieces.push({
      id: "daemons",
      what: words.length === 0 ? "the daemon" : `the daemon (${listed(words)})`,
      details: ["services that it runs end in their own time"],
      isData: false,
      async remove() {
        await serverStop({}, quiet(its));
      },
    });
  }
  return { pieces, notes: [] };
}
