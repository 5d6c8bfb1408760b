/** `localhostess db reset [service]` -> a managed store of this checkout that begins anew, once a person agrees. */
import { printJson } from "../shared/json-output.ts";
import type { World } from "../shared/world.ts";
import { agreed, type DbFlags, describedStore, followed, reported, storeHere } from "./db-store.ts";

export async function dbReset(
  word: string | undefined,
  flags: DbFlags,
  world: World,
): Promise<number> {
  const { socket, asked, store } = await storeHere(word, world);
  const { id, size } = store;
  if (size === null) {
    const volume = "; in a container, it is in a volume, which docker volume ls lists";
    world.err.write(`${id} has no data here${store.type === "postgres" ? "" : volume}\n`);
    if (flags.json) printJson(world, { name: id, removed: null });
    return 0;
  }
  await agreed(`All data of ${describedStore(store)} will be removed. Remove it?`, flags, world);
  const code = reported(await followed(socket, { Reset: asked }, world), world);
  if (code !== 0) return code;
  if (flags.json) printJson(world, { name: id, removed: size });
  else world.out.write(`the data of ${id} was removed\n`);
  return 0;
}
