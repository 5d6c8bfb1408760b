/** `localhostess db url [service]` -> the URL of a managed store, with its password. */
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import type { World } from "../shared/world.ts";
import { type DbFlags, storeHere } from "./db-store.ts";

export async function dbUrl(
  word: string | undefined,
  flags: DbFlags,
  world: World,
): Promise<number> {
  const { store } = await storeHere(word, world);
  const { id, type, state, url, variables } = store;
  if (url === null) throw new Failure("unsupported", `${id} (${type}) has no URL`);
  if (flags.json) printJson(world, { name: id, type, state, url, variables });
  else world.out.write(`${url}\n`);
  if (state !== "ready") {
    const { err } = world;
    err.write(`${err.colors.dim(`${id} is ${state}; localhostess up ${id} starts it`)}\n`);
  }
  return 0;
}
