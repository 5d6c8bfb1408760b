/** `localhostess db restore <service> <file>` -> a managed store with what a dump holds, once a person agrees. */
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { answerOf } from "./asking.ts";
import { printable } from "../../text/printable.ts";
import { definedOf } from "../shared/defined.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import type { World } from "../shared/world.ts";
import { runInPlace } from "./child.ts";
import { loaded } from "./db-load.ts";
import {
  agreed,
  type DbFlags,
  describedStore,
  followed,
  postgresOnly,
  reported,
  type StoreHere,
  storeHere,
} from "./db-store.ts";
import { type DumpFile, dumpIn } from "./dump-file.ts";

export async function dbRestore(
  { service, file }: { service: string; file: string },
  flags: DbFlags,
  world: World,
): Promise<number> {
  const path = resolve(world.cwd, file);
  const dump = await dumpIn(path);
  if (dump.kind === "bad") throw new Failure("unsupported", `${printable(path, 500)} ${dump.why}`);
  const here = await storeHere(service, world);
  const { store } = here;
  if (dump.kind === "files") refuseOther(dump, here);
  else postgresOnly(store, "a dump in SQL");
  if (store.size !== null) {
    const what =
      dump.kind === "files" ? "All data of" : `The database ${store.variables.PGDATABASE ?? ""} of`;
    const question = `${what} ${describedStore(store)} will be replaced by ${printable(file, 300)}. Replace it?`;
    await agreed(question, flags, world);
  }
  const code =
    dump.kind === "files"
      ? await unpacked(path, { here, world })
      : await loaded({ kind: dump.kind, path }, { here, world });
  if (code !== 0) return code;
  if (flags.json) printJson(world, { name: store.id, file: path, format: dump.kind });
  else world.out.write(`${store.id} has what is in ${printable(file, 500)}\n`);
  return 0;
}

/** Before anybody is asked, and anything is unpacked. */
function refuseOther(dump: Extract<DumpFile, { kind: "files" }>, { store }: StoreHere): void {
  const [has, wants] = [dump, store].map(({ type, version }) =>
    [type, version].filter(Boolean).join(" "),
  );
  if (has === wants) return;
  const how =
    dump.type === "postgres" && store.type === "postgres"
      ? `; run it once with version = ${dump.version}, and take it along as SQL: localhostess db dump --format plain`
      : "";
  throw new Failure(
    "unsupported",
    `the file has the data of ${has}, and ${store.id} is ${wants}, which cannot read it${how}`,
  );
}

async function unpacked(
  path: string,
  { here, world }: { here: StoreHere; world: World },
): Promise<number> {
  const { socket, asked, store } = here;
  const { StoreStage: staged } = await answerOf<{ StoreStage: { folder: string } }>(socket, {
    StoreStage: asked,
  });
  const { folder } = staged;
  try {
    const words = ["tar", "-xzf", path, "-C", folder];
    const code = await runInPlace(words, { env: definedOf(world.env), world, aside: true });
    if (code !== 0) {
      const why = `${printable(path, 500)} is only a part of a dump, or there is no room for it`;
      throw new Failure("failed", `${why}; ${store.id} is as it was`);
    }
    const request = { StoreReplace: { ...asked, folder, replaces: true } };
    return reported(await followed(socket, request, world), world);
  } finally {
    // Gone already where it has taken the place of the data.
    await rm(folder, { recursive: true, force: true });
  }
}
