/** The verb for shell completion -> its part of the grammar. */
import { Argument, type Command } from "commander";
import { printJson } from "../shared/json-output.ts";
import { exitCode } from "../shared/exit-code.ts";
import { type Choose, example, jsonOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";

export function typingVerbs(program: Command, choose: Choose, world: World): void {
  const completion = program
    .command("completion")
    .description("print a script that completes verbs, options and names in a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
~/.bashrc                   eval "$(localhostess completion bash)"
~/.zshrc, after compinit    eval "$(localhostess completion zsh)"
~/.config/fish/config.fish  localhostess completion fish | source`,
    )
    .action((shell: "bash" | "zsh" | "fish", flags: { json?: boolean }) =>
      choose(async () => (await import("./completion.ts")).completion(shell, flags, world)),
    );
  example(completion, 'eval "$(localhostess completion bash)"');

  const version = program
    .command("version")
    .description("print the version, as --version does")
    .addOption(jsonOption())
    .action(() =>
      choose(async () => {
        const number = program.version() ?? "";
        if (world.json === undefined) world.out.write(`${number}\n`);
        else printJson(world, { version: number });
        return exitCode.done;
      }),
    );
  example(version, "localhostess version");

  program
    .command("__complete", { hidden: true })
    .argument("[words...]", "the words typed so far, up to the cursor")
    .action((words: string[]) =>
      choose(async () => (await import("./complete.ts")).complete(words, { program, world })),
    );
}
