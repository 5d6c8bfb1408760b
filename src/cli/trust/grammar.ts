/** The verbs about certificates and this machine's trust in them -> their part of the grammar. */
import { type Command, Option } from "commander";
import type { MachineFlags } from "../shared/machine.ts";
import type { Flags } from "../shared/settings.ts";
import { type Choose, example, jsonOption, portOption, rootOption } from "../shared/verb.ts";
import type { World } from "../shared/world.ts";
import type { EnvFlags } from "./env.ts";
import type { TrustFlags } from "./trust.ts";
import type { UntrustFlags } from "./untrust.ts";

export function trustVerbs(program: Command, choose: Choose, world: World): void {
  const trust = program
    .command("trust")
    .description("make the browsers and programs of this machine trust https names")
    .option("--status", "only report which trust stores have the certificate authority")
    .option("--renew", "replace the certificate authority by a new one in every store")
    .option("--bare-names", "add a second authority for https://api/; see below")
    .addOption(jsonOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      `
The certificate authority is limited to localhost, the names under it and the
configured domains: programs reject a certificate that it signs for any other
name, even if its key is stolen.

--bare-names: a certificate authority can be limited to a domain, but not to
names without a dot. https://api/ therefore needs a second authority, which may
sign for every name. Anyone who reads its key, in the state directory, could
impersonate any website to the browsers of this machine.
https://api.localhost/ and http://api/ work without it.

No command runs as root by itself: where a trust store requires root, the
command to run is printed.`,
    )
    .action((flags: TrustFlags) =>
      choose(async () => (await import("./trust.ts")).trust(flags, world)),
    );
  example(trust, "localhostess trust");

  const untrust = program
    .command("untrust")
    .description("remove the certificate authority from every trust store")
    .option("--forget", "also delete its key, and that of the authority for bare names")
    .addOption(jsonOption())
    .addOption(rootOption())
    .action((flags: UntrustFlags) =>
      choose(async () => (await import("./untrust.ts")).untrust(flags, world)),
    );
  example(untrust, "localhostess untrust");

  const env = program
    .command("env")
    .description(
      "print shell commands that make curl, git, Node, Python and others trust https names",
    )
    .addOption(
      new Option(
        "--shell <name>",
        "the shell to print for; by default fish if $SHELL is fish, else sh",
      )
        // The same list as in env.ts, which --help does not load.
        .choices(["sh", "fish", "powershell"]),
    )
    .addOption(jsonOption())
    .addOption(rootOption())
    .addHelpText(
      "after",
      `
http_proxy is not among the variables: our proxy reaches services and nothing
else. Set it for one command: http_proxy=http://127.0.0.1:9090 curl http://api/`,
    )
    .action((flags: EnvFlags) => choose(async () => (await import("./env.ts")).env(flags, world)));
  example(env, 'eval "$(localhostess env)"');

  const browser = program
    .command("browser")
    .description("open Chromium with a temporary profile that trusts https names")
    .argument(
      "[name...]",
      "such as api, shop:api, api.shop or a URL; options for Chromium follow after --",
    )
    .usage("[options] [name] [-- chromium options]")
    .addOption(portOption())
    .addOption(jsonOption())
    .action((words: string[], flags: Flags) =>
      choose(async () => (await import("./browser.ts")).browser(words, { flags, world })),
    );
  example(browser, "localhostess browser api");

  const doctor = program
    .command("doctor")
    .description("check everything that names and https need, and print how to fix it")
    .addOption(portOption())
    .addOption(jsonOption())
    .addOption(rootOption())
    .action((flags: MachineFlags) =>
      choose(async () => (await import("./doctor.ts")).doctor(flags, world)),
    );
  example(doctor, "localhostess doctor --json | jq '.[] | select(.fix)'");
}
