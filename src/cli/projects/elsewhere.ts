/** Services that were started -> sentences about those that listen somewhere else than on their port. */
import { ancestry } from "../../discovery/ancestry.ts";
import { pickPort } from "../../routes/pick-port.ts";
import { elsewhereText, portElsewhere } from "../../routes/state-sentence.ts";
import { isInspector } from "../../supervisor/service/whereabouts.ts";
import { printable } from "../../text/printable.ts";
import { looker, type Sight } from "../shared/look.ts";
import { settingsOf } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import type { Row } from "./asking.ts";

/** Prints a line for each: the person is here now, and would find an address that does not answer. */
export async function tellElsewhere(rows: readonly Row[], world: World): Promise<void> {
  const { err } = world;
  const found = await servicesElsewhere(rows, () => lookNow(world));
  for (const { name, port, own } of found) {
    const where = elsewhereText(port, own ?? undefined);
    const remedy = `let it listen on $PORT, or set port = ${port} in locald.toml`;
    err.write(`${err.colors.yellow(`! ${printable(name, 100)} ${where}; ${remedy}`)}\n`);
  }
}

async function lookNow(world: World): Promise<Sight | undefined> {
  try {
    return await looker(await settingsOf({}, world))();
  } catch {
    // The daemon's own warning comes later, and `status` has it.
    return undefined;
  }
}

type Elsewhere = { name: string; port: number; own: number | null };

/**
 * The daemon says so of a service after a few seconds. One that was ready before, by its own word, is looked for among
 * the processes that listen.
 */
export async function servicesElsewhere(
  rows: readonly Row[],
  look: () => Promise<Pick<Sight, "scan"> | undefined>,
): Promise<Elsewhere[]> {
  const servers = rows.filter(({ type, pid }) => type === "exec" && pid !== null);
  const told = servers.flatMap(({ name, port: own, warnings }) => {
    const port = warnings.map(portElsewhere).find((its) => its !== undefined);
    return port === undefined ? [] : [{ name, port, own }];
  });
  const open = servers.filter(
    (row) => row.ready && row.port !== null && !told.some(({ name }) => name === row.name),
  );
  const scan = open.length === 0 ? undefined : (await look())?.scan;
  if (scan === undefined) return told;
  const seen = open.flatMap(({ name, pid, port: own }) => {
    const ports = scan.observations
      .filter(({ pids }) => pids.some((listener) => ancestry(listener, scan.processes).has(pid!)))
      .map(({ port }) => port);
    const others = ports.filter((port) => !isInspector(port));
    const [first] = others;
    // One that does not listen yet may do so on its port.
    if (first === undefined || ports.includes(own!)) return [];
    return [{ name, port: pickPort([first, ...others]), own }];
  });
  return [...told, ...seen];
}
