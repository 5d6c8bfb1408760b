/** A word for one service, as typed -> how the daemon is asked about it, whether its project is up or not. */
import { realpath } from "node:fs/promises";
import type { FoundStatus } from "../../routes/project-report.ts";
import { listed } from "../../text/list.ts";
import { Failure } from "../shared/failure.ts";
import type { World } from "../shared/world.ts";
import type { Row } from "./asking.ts";
import { folderHere, projectHere } from "./here.ts";
import { NotUp, rowsNamed } from "./named.ts";
import { nameWithin } from "./short-name.ts";

/** `project_path`: of a project that the daemon does not know yet. */
export type Meant = { name: string; project_path?: string };

export type MeantOptions = {
  rows: readonly Row[];
  servers: readonly FoundStatus[];
  world: World;
};

/** @throws an Error that lists the services. */
export async function serviceMeant(
  word: string,
  { rows, servers, world }: MeantOptions,
): Promise<Meant> {
  let named: Row[];
  try {
    named = await rowsNamed([word], { rows, servers, world });
  } catch (mistake) {
    // The daemon does not know the project yet.
    const directory = await realpath(await folderHere(world, rows));
    if (mistake instanceof NotUp)
      return { name: nameWithin(mistake.ids[0]!), project_path: directory };
    const isKnown = rows.some((row) => row.path === directory);
    // Outside every project there is none to ask for.
    const isNowhere = rows.length > 0 && (await projectHere({ rows, world })) === undefined;
    if (isKnown || isNowhere) throw mistake;
    return { name: word, project_path: directory };
  }
  const of = named[0]!.instance?.of;
  // For a name that instances share, the first of them.
  const one = of !== undefined && named.every((row) => row.instance?.of === of);
  if (named.length > 1 && !one) {
    const names = listed(
      named.map((row) => row.name),
      { conjunction: "or" },
    );
    throw new Failure("ambiguous", `${word} is a project; name one of its services: ${names}`);
  }
  return { name: named[0]!.name };
}
