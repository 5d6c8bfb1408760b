/** The verb `container run`, and the options of a run that `run` has as well -> their part of the grammar. */
import type { Command } from "commander";
import { type Choose, example, jsonOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";
import type { RunImageFlags } from "./run-image.ts";

export function containerVerbs(program: Command, choose: Choose, world: World): void {
  const container = program.command("container").description("run containers");
  const run = container
    .command("run")
    .description("run an image once, and remove its container")
    .argument("<image>", "such as alpine, redis:7 or ghcr.io/me/tool")
    .argument("[command...]", "the command inside (default: the image's own)");
  imageOptions(run)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Standard input is passed on if it is piped, and a terminal is the container's.
Ctrl-C is for the program inside; a second one ends it. The exit code is that of
the container, 127 if it has no such program, and 125 if it could not be run.`,
    )
    .action((image: string, command: string[], flags: RunImageFlags) =>
      choose(async () =>
        (await import("./run-image.ts")).runImage({ image, command }, flags, { world }),
      ),
    );
  example(run, "localhostess container run -v .:/src alpine ls -l /src");
}

const more = (its: string, before: readonly string[] = []): string[] => [...before, its];

/** `prefix`: of a verb that has them for images alone. */
export function imageOptions(verb: Command, prefix = ""): Command {
  return verb
    .option("-i, --interactive", `${prefix}keep its input open (default: if it is piped)`)
    .option("-t, --tty", `${prefix}give it this terminal (default: if there is one)`)
    .option("--no-tty", `${prefix}give it pipes, also on a terminal`)
    .option("-p, --publish <port>", `${prefix}publish a port, such as 8080:80; repeatable`, more)
    .option("-e, --env <variable>", `${prefix}NAME=value, or NAME; repeatable`, more)
    .option("-v, --volume <volume>", `${prefix}such as ./data:/data:ro; repeatable`, more);
}
