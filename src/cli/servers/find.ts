/** A name that a person typed -> its service, or a sentence that helps. */
import { explain } from "../../proxy/pages/problem.ts";
import { nearest } from "../../text/nearest.ts";
import type { Service } from "../../routes/service.ts";
import { routeTable } from "../../routes/table.ts";
import { looker, type Sight } from "../shared/look.ts";
import { type Settings, UsageError } from "../shared/settings.ts";
import type { World } from "../shared/world.ts";
import { readTarget, type Target } from "../../routes/target.ts";

export type NamedTarget = Extract<Target, { kind: "name" }>;

export type Found =
  | { kind: "found"; service: Service }
  /** A running server whose name has no address. */
  | { kind: "unroutable"; service: Service; why: string }
  | { kind: "unknown"; why: string; nearest: string | undefined };

/** The same rule as the proxy's: the exact name, else its longest suffix that is a name. */
export function find(name: string, { services, urlPorts }: Sight): Found {
  const table = routeTable(services);
  const service = table.find(name);
  if (service !== undefined) return { kind: "found", service };
  const unroutable = services.find((its) => its.name.toLowerCase() === name);
  if (unroutable !== undefined) {
    const why = `${unroutable.name} (pid ${unroutable.process.pid}) has no address: ${unroutable.warnings[0] ?? "its name is not a valid host name"}`;
    return { kind: "unroutable", service: unroutable, why };
  }
  const near = nearest(name, table.names);
  const { message } = explain({
    status: 404,
    name,
    names: table.names,
    nearest: near,
    port: urlPorts.http,
  });
  return { kind: "unknown", why: message, nearest: near };
}

/** The first step of the verbs with a `<name>`. @throws UsageError, or an Error for an unknown name. */
export async function lookUp(
  text: string,
  { settings, world }: { settings: Settings; world: World },
): Promise<{ service: Service; sight: Sight; target: NamedTarget }> {
  const sight = await looker(settings, { world })();
  const target = readTarget(text, sight.tlds);
  if (target.kind === "mistake") throw new UsageError([target.what]);
  if (target.kind === "own") throw new UsageError(["localhost is the proxy itself, not a server"]);
  const found = find(target.name, sight);
  if (found.kind !== "found") throw new Error(found.why);
  return { service: found.service, sight, target };
}
