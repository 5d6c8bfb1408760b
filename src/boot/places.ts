/** A person's folders -> where the parts of the service are: units, launchd's agent, and the markers of a profile. */
import { isAbsolute, join } from "node:path";
import { unitName } from "./unit-text.ts";
import { launchdLabel } from "./plist-text.ts";

export type Person = {
  env: Readonly<Record<string, string | undefined>>;
  home: string;
};

/** systemd.unit(5): the units of a user, before those of packages. */
export function unitFolder({ env, home }: Person): string {
  const base = env.XDG_CONFIG_HOME;
  return join(base && isAbsolute(base) ? base : join(home, ".config"), "systemd", "user");
}

/** Packages' own units of users, the first of which counts. */
export const packagedUnits = [
  `/usr/local/lib/systemd/user/${unitName}`,
  `/usr/lib/systemd/user/${unitName}`,
] as const;

export function unitPaths(person: Person) {
  const folder = unitFolder(person);
  return {
    unit: join(folder, unitName),
    /** The variables, which differ from machine to machine; a person's own changes are in another file beside it. */
    environment: join(folder, `${unitName}.d`, "environment.conf"),
    /** There while the unit is enabled. */
    wanted: join(folder, "default.target.wants", unitName),
  };
}

export function agentPath({ home }: Person): string {
  return join(home, "Library", "LaunchAgents", `${launchdLabel}.plist`);
}

/** systemd's manager of this user listens there. */
export function managerSocket({ env }: Person): string | undefined {
  const runtime = env.XDG_RUNTIME_DIR;
  return runtime && isAbsolute(runtime) ? join(runtime, "systemd", "private") : undefined;
}
