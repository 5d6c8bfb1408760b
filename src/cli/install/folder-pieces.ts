/** Our own folders -> a piece each, those with data first. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { plansFolder } from "../../plugins/plan-place.ts";
import { storesFolder } from "../../stores/folders.ts";
import { foldersIn, Owners } from "../../stores/owners.ts";
import { configFile } from "../../system/paths.ts";
import { removeTree } from "../../system/remove-tree.ts";
import { removeEmptyFolders } from "../../system/remove-empty-folders.ts";
import { listed } from "../../text/list.ts";
import { shownSize } from "../../text/size.ts";
import { shownFolder } from "../shared/rows.ts";
import { type OwnFolder, ownFolders, sandboxesIn } from "./own-folders.ts";
import type { Found, Here, Piece } from "./piece.ts";
import { whyStays } from "./shared-folder.ts";

const words: Readonly<Record<OwnFolder["id"], string>> = {
  databases: "databases of projects",
  state: "state",
  configuration: "configuration",
  cache: "downloads",
  sockets: "sockets",
};

export function folderPieces({ flags, settings, world }: Here): Found {
  const { env, platform, home } = world;
  const { stateDirectory: state } = settings;
  const uid = process.getuid?.() ?? -1;
  const file = configFile({ env, platform, home });
  const folders = ownFolders({
    ...{ env, platform, home, uid, state, root: flags.root ?? "/" },
    configFile: file.kind === "path" ? file.path : undefined,
  });
  const states = [state, ...sandboxesIn(state)];
  const stores = states.map((its) => storesFolder(its, { env, platform, uid }));
  const data = stores.flatMap(dataIn);
  const isInState = (path: string): boolean => path.startsWith(`${state}/`);
  const stays: string[] = [];
  const pieces = folders.flatMap(({ id, path, bytes }): Piece[] => {
    if (id === "databases" && flags.keepData) return [];
    const isChosen = id === "state" && Boolean(env.LOCALHOSTESS_STATE_DIR);
    const why = whyStays(path, { home, isChosen });
    if (why !== undefined) {
      stays.push(`${path} stays, ${why}; what is of localhostess there is to be removed by hand`);
      return [];
    }
    const isState = id === "state";
    const inIt = data.filter(({ folder }) =>
      isState ? isInState(folder) : folder.startsWith(`${path}/`),
    );
    const details = [
      shownFolder(path, home),
      ...(flags.keepData ? [] : inIt.map(({ text }) => text)),
    ];
    const kept = isState && flags.keepData ? stores.filter(isInState) : [];
    return [
      {
        ...{ id, what: `${words[id]} (${shownSize(bytes)})`, details },
        isData: !flags.keepData && inIt.length > 0,
        async remove() {
          if (isState) for (const its of states) await removePlanned(its);
          await removeBut(path, kept);
          // Those around it, such as ~/.local/state, were often made for it.
          await removeEmptyFolders(dirname(path), { below: home });
        },
      },
    ];
  });
  const notes = flags.keepData ? data.map(({ text }) => `${text} stays`) : [];
  return { pieces, notes: [...stays, ...notes] };
}

/** Files that plans of plugins have written in projects: once the record is gone, they are nobody's. */
async function removePlanned(state: string): Promise<void> {
  if (!existsSync(plansFolder(state))) return;
  const { removePlans } = await import("../shared/put-plans.ts");
  await removePlans(state, {});
}

type Data = { folder: string; text: string };

/** The projects that have data below the folder of all stores. Reads only: a daemon may be at work there. */
function dataIn(stores: string): Data[] {
  return new Owners(stores).all().map(({ project, folder }) => {
    const services = foldersIn(folder).map(({ name }) => name);
    return { folder, text: `${listed(services)} of ${project}, in ${folder}` };
  });
}

/** All of it, but for the folders in `kept` and those above them. */
async function removeBut(path: string, kept: readonly string[]): Promise<void> {
  if (kept.includes(path)) return;
  if (!kept.some((its) => its.startsWith(`${path}/`))) {
    await removeTree(path);
    return;
  }
  for (const name of readdirSync(path)) await removeBut(join(path, name), kept);
}
