/** `localhostess doctor` -> what works on this machine and what does not, each with its remedy. Changes nothing. */
import { configuration } from "../shared/configuration.ts";
import { daemonIfUsable } from "../shared/daemon-here.ts";
import { keptName } from "../../helper/read-hosts.ts";
import { looker, portsOf, withCheckouts } from "../shared/look.ts";
import { type MachineFlags, machineOf, served } from "../shared/machine.ts";
import { printJson } from "../shared/json-output.ts";
import { settingsOf } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { checkAuthorities } from "./check-authorities.ts";
import { checkConfig } from "./check-config.ts";
import { checkContainers, checkProjectContainers } from "./check-containers.ts";
import { checkGiven } from "./check-given.ts";
import { checkHosts } from "./check-hosts.ts";
import { checkNames } from "./check-names.ts";
import { checkPorts } from "./check-ports.ts";
import { type Finding, tellFinding } from "./finding.ts";

/** Milliseconds. The daemon takes a name away after three seconds. */
const hostsPatience = 3_500;

export async function doctor(flags: MachineFlags, world: World): Promise<number> {
  const config = await configuration(world);
  // An error in the file is a finding; the other checks do not need the file.
  const broken = config.kind === "mistakes";
  const settings = await served(await settingsOf(flags, world, { withoutConfig: broken }), world);
  const machine = machineOf(flags, world);
  const proxy = await daemonIfUsable(settings, world);
  const { port } = portsOf(settings, proxy);
  const uid = process.getuid?.() ?? -1;
  const findings: Finding[] = [];
  const parts = [
    () => checkConfig(config, settings.tlds),
    () => checkGiven(settings.stateDirectory),
    () => checkAuthorities(settings, machine),
    () => checkPorts({ main: port, proxy, settings, machine }),
    () => checkNames(port, { machine, kept: keptName({ root: machine.root, uid }) }),
    () =>
      checkHosts({
        ...{ settings, machine, uid },
        look: async () => await withCheckouts(await looker(settings)()),
        later: () => Bun.sleep(hostsPatience),
      }),
    () => checkContainers(settings, world),
    () => checkProjectContainers(settings, world),
  ];
  for (const part of parts) {
    for (const finding of await part()) {
      findings.push(finding);
      if (!settings.json) tellFinding(finding, world);
    }
  }
  if (settings.json) printJson(world, findings);
  return findings.some(({ level }) => level === "broken") ? 1 : 0;
}
