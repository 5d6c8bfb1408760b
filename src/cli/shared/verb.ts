/** A verb -> the options that it shares with others, and the last lines of its help. */
import { type Command, Option } from "commander";

export type Action = () => Promise<number>;

/** Called by the verb that was typed, with its action. */
export type Choose = (action: Action) => void;

export function jsonOption(): Option {
  return new Option("--json", "print JSON");
}

export function portOption(description?: string): Option {
  return new Option(
    "-p, --port <number>",
    description ??
      "the proxy's port (default: LOCALHOSTESS_PORT, the port of the running proxy, or 9090)",
  );
}

/** For tests, which may run as root: they must not change the system's own stores. */
export function rootOption(): Option {
  return new Option("--root <directory>", "use another directory as /").hideHelp();
}

/** Options of verbs that look for servers. */
export function looking(command: Command): void {
  command
    .addOption(
      new Option("--scanner <kind>", "how to find servers; auto uses procfs where it exists")
        // The same list as in discovery/source.ts, which --help does not load.
        .choices(["auto", "procfs", "lsof"]),
    )
    .option("--all-users", "include the processes of other users, where readable")
    .option("-v, --verbose", "print what was skipped, and why");
}

/** Options of verbs that print servers. */
export function common(command: Command): void {
  command.addOption(portOption()).addOption(jsonOption());
  looking(command);
}

/** Options of verbs that start the proxy; `more` ends the description of `--port`. */
export function proxyPorts(command: Command, more: string): void {
  command
    .addOption(portOption(`the port to listen on${more}`))
    .option(
      "--http-port <number|off>",
      "an additional port for http URLs without a port, if it is available (default: LOCALHOSTESS_HTTP_PORT or 80)",
    )
    .option(
      "--https-port <number|off>",
      "the same for https URLs (default: LOCALHOSTESS_HTTPS_PORT or 443)",
    )
    .option(
      "--https-redirect",
      "redirect page loads to https (default: LOCALHOSTESS_HTTPS_REDIRECT)",
    )
    .option("--other-users", "also serve other users of this machine (default: other_users)")
    .option(
      "--tld <domain>",
      "a domain besides localhost that names may end in, such as test; repeatable (default: tlds in config.toml)",
      (tld: string, before: string[] = []) => [...before, tld],
    );
}

export function example(command: Command, text: string): void {
  command.addHelpText("after", `\nExample:\n  $ ${text}`);
}
