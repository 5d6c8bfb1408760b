/** This version's command line -> its manual pages, and what shells complete it by. */
import { type CompletionShell, completion } from "../../src/cli/typing/completion.ts";
import { grammar } from "../../src/cli/program.ts";
import { noColors, type Screen, type World } from "../../src/cli/shared/world.ts";
import { manualPages, type Pages } from "./manual.ts";

export type Documents = {
  pages: Pages;
  completions: Readonly<Record<CompletionShell, string>>;
};

export type DocumentsOptions = {
  version: string;
  /** Seconds since 1970: the day that the pages name. */
  epoch: number;
};

export async function documents({ version, epoch }: DocumentsOptions): Promise<Documents> {
  const its = heard();
  const program = grammar(its.world, () => {});
  const pages = manualPages(program, {
    version,
    date: new Date(epoch * 1_000).toISOString().slice(0, 10),
    helpOf(command) {
      command.outputHelp();
      return its.taken();
    },
  });
  const scriptFor = async (shell: CompletionShell): Promise<string> => {
    await completion(shell, {}, its.world);
    return its.taken();
  };
  const [bash, zsh, fish] = [
    await scriptFor("bash"),
    await scriptFor("zsh"),
    await scriptFor("fish"),
  ];
  return { pages, completions: { bash, zsh, fish } };
}

/** A world in which nothing happens, and whose output is taken. */
function heard(): { world: World; taken(): string } {
  let said = "";
  const screen: Screen = {
    write(text) {
      said += text;
      return true;
    },
    columns: () => undefined,
    colors: noColors,
  };
  const world: World = {
    ...{ out: screen, err: screen, env: {}, platform: "linux", home: "/", cwd: "/" },
    prompt: () => Promise.resolve(undefined),
    onSignal: () => () => {},
    onResize: () => () => {},
    exit() {},
  };
  return {
    world,
    taken() {
      const text = said;
      said = "";
      return text;
    },
  };
}
