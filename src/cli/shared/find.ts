/** A name that a person typed -> its service, or a sentence that helps. */
import { explain } from "../../proxy/pages/explain.ts";
import { holderText } from "../../routes/holder-text.ts";
import { type RemoteReport, remoteOf } from "../../routes/remote-report.ts";
import { meantBy, type Unusable, unusableText } from "../../routes/unusable.ts";
import type { Unanswered } from "../../routes/unanswered.ts";
import type { Service } from "../../routes/service.ts";
import { nearestName, routeTable } from "../../routes/table.ts";
import { type Sight, unusableIn } from "./look.ts";

export type Found =
  | { kind: "found"; service: Service }
  /** A running server whose name has no address. */
  | { kind: "unroutable"; service: Service; why: string }
  /**
   * `meant`: the running server that was probably meant; no name leads to it. `remote`: the machine that the name would
   * be of.
   */
  | {
      kind: "unknown";
      why: string;
      nearest: string | undefined;
      meant: Unusable | undefined;
      remote?: RemoteReport | undefined;
      /** Why the service of a shorter name does not answer. */
      unanswered?: Unanswered | undefined;
    };

/** The same rule as the proxy's: the exact name, else its longest suffix that is a name. */
export function find(name: string, sight: Sight & { unanswered?: Unanswered }): Found {
  const { services, supervised, tlds, urlPorts, unanswered, remotes, routing } = sight;
  const { remotes: machines, kept } = routing ?? {};
  const table = routeTable(services, { supervised, tlds, remotes: machines, kept });
  const service = table.find(name);
  if (service !== undefined && unanswered === undefined) return { kind: "found", service };
  const unusable = unusableIn(sight);
  const [meant] = meantBy(name, unusable);
  if (meant?.fault.kind === "bad name") {
    return { kind: "unknown", why: unusableText(meant), nearest: undefined, meant };
  }
  const unroutable = services.find((its) => its.name.toLowerCase() === name);
  if (unroutable !== undefined) {
    const why = `${unroutable.name} (${holderText(unroutable)}) has no address: ${unroutable.warnings[0] ?? "its name is not a valid host name"}`;
    return { kind: "unroutable", service: unroutable, why };
  }
  const near = nearestName(name, table);
  const remote = remoteOf(name, remotes ?? []);
  if (remote !== undefined && remote.state !== "up") {
    const why = explain({ status: 502, name, remote }).message;
    return { kind: "unknown", why, nearest: undefined, meant: undefined, remote };
  }
  const { message } = explain({
    status: 404,
    name,
    remote,
    names: table.names,
    nearest: near,
    unusable,
    unanswered,
    port: urlPorts.http,
    securePort: urlPorts.https,
  });
  return { kind: "unknown", why: message, nearest: near, meant, remote, unanswered };
}
