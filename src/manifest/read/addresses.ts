/** All services of a project -> the errors of those that share an address or a port. Pure. */
import type { Mistakes } from "./mistakes.ts";
import type { Declared } from "./service.ts";

export function reportShared(declared: readonly Declared[], mistakes: Mistakes): void {
  const names = new Map<string, string>();
  /** By port and protocol: a name server has one number for both. */
  const ports = new Map<string, string>();
  for (const { spec, table } of declared) {
    const { name, routeName, port } = spec;
    const first = routeName === undefined ? undefined : names.get(routeName);
    if (first !== undefined) {
      const what = `${first} already has the address ${routeName}.localhost; rename one of them`;
      mistakes.add(table, what);
    } else if (routeName !== undefined) {
      names.set(routeName, name);
    }
    const holder = port === undefined ? undefined : ports.get(`${port}/tcp`);
    if (holder !== undefined) {
      mistakes.add(table.entries.get("port") ?? table, `${holder} already has port ${port}`);
    } else if (port !== undefined) {
      ports.set(`${port}/tcp`, name);
    }
    for (const { outside, protocol } of spec.own?.kind === "container" ? spec.own.ports : []) {
      if (outside === undefined) continue;
      const other = ports.get(`${outside}/${protocol}`);
      if (other !== undefined && other !== name) {
        mistakes.add(table.entries.get("ports") ?? table, `${other} already has port ${outside}`);
      } else {
        ports.set(`${outside}/${protocol}`, name);
      }
    }
  }
}
