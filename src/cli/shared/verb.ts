/** What verbs have in common -> their options and the last lines of their help. */
import { type Command, Option } from "commander";

export type Action = () => Promise<number>;

/** Called by the verb that was given, with what it is to do. */
export type Choose = (action: Action) => void;

export function jsonOption(): Option {
  return new Option("--json", "print JSON");
}

export function example(command: Command, text: string): void {
  command.addHelpText("after", `\nExample:\n  $ ${text}`);
}
