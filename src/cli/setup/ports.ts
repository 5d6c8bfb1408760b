/** A machine -> what has to be done so that a user's daemon has ports 80 and 443. */
import { helperName } from "../../helper/places.ts";
import { firstFreePort } from "../../system/first-free-port.ts";
import { fileCapability, mayBindAlone } from "../../system/file-capability.ts";
import { whereIs } from "../../system/search-path.ts";
import { installCommand } from "../../tls/trust/install-command.ts";
import type { Part, PartPlan, SetupPlace } from "./plan.ts";
import { systemPath } from "./script.ts";
import { rootProgram } from "./root-program.ts";

/** The lowest port that the daemon wants. */
const lowest = 80;

export const ports: Part = {
  name: "ports",
  purpose: "URLs without a port: http://api.localhost/ and https://api.localhost/",
  isUsual: true,
  look,
};

async function look(place: SetupPlace): Promise<PartPlan> {
  const { machine, uid, others } = place;
  if (machine.platform !== "linux") {
    return { kind: "unneeded", why: "every user may listen on ports 80 and 443 here" };
  }
  const { step, problem } = await rootProgram(place, {
    name: helperName,
    undoing: `remove ${helperName}`,
    purpose: `install ${helperName}, which listens on ports 80 and 443 of loopback for the daemon`,
    right: {
      grant: (word) => `setcap cap_net_bind_service=ep ${word}`,
      revoke: (word) => `setcap -r ${word}`,
      isGranted: (path) => mayBindAlone(fileCapability(path)),
    },
    isShared: others.has("ports"),
  });
  const steps = step === undefined ? [] : [step];
  if (uid === 0) return { kind: "unneeded", why: "root may listen on every port", steps };
  const free = await firstFreePort(machine.root);
  if (free <= lowest) {
    const setting = `net.ipv4.ip_unprivileged_port_start is ${free}`;
    return { kind: "unneeded", why: `every user may listen on these ports: ${setting}`, steps };
  }
  if (problem !== undefined) return { kind: "impossible", ...problem, steps };
  const isDone = steps.every((its) => its.isDone);
  if (!isDone && whereIs("setcap", systemPath) === undefined) {
    const fix = await installCommand("setcap", machine);
    return { kind: "impossible", why: "setcap is missing", fix, steps };
  }
  return { kind: "steps", steps, rights: ["ports"] };
}
