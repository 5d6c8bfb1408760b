/** A word that was typed in the place of a verb, and is a server's name -> the command that opens it. */
import { readTarget } from "../routes/target.ts";
import { pastedWord } from "../text/shell-words.ts";
import type { World } from "./shared/world.ts";

/** Undefined where no server has the name. Never rejects: the word was a mistake, and may be nothing but that. */
export async function openHint(word: string, world: World): Promise<string | undefined> {
  try {
    // Loaded on demand: verbs that exist do not need it.
    const [{ looker }, { settingsOf }, { routeTable }] = await Promise.all([
      import("./shared/look.ts"),
      import("./shared/settings.ts"),
      import("../routes/table.ts"),
    ]);
    const { services, supervised, tlds } = await looker(await settingsOf({}, world))();
    const command = `localhostess open ${pastedWord(word)}`;
    const declared = supervised.find((its) => its.id === word || its.service === word);
    if (declared?.routeName !== undefined) return command;
    const target = readTarget(word, tlds);
    if (target.kind !== "name") return undefined;
    const table = routeTable(services, { tlds, supervised });
    const known = table.find(target.name) ?? table.supervised(target.name);
    return known === undefined ? undefined : command;
  } catch {
    // The configuration has errors, or the machine cannot be looked at: there is nothing to add.
    return undefined;
  }
}
