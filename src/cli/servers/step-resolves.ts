/** The host of a URL -> whether the system's resolver, or a browser, finds this machine by it. */
import { serviceUrl } from "../../routes/service-row.ts";
import { listed } from "../../text/list.ts";
import { addressesOf, elsewhereIn } from "../shared/resolver.ts";
import { resolverRemedy } from "../shared/resolver-remedy.ts";
import { connectDeadline, failed, passed, type Step, type Walk } from "./step.ts";

/** The machine whose resolver is asked. */
const here = { platform: process.platform, root: "/" };

/** RFC 6761 section 6.3 wants `localhost.` names on loopback; browsers and curl do that, many resolvers do not. */
export async function resolves({ target, sight, host, byPac }: Walk): Promise<Step> {
  if (target.kind === "name" && byPac) {
    const what = target.domain === "" ? "has no dot" : `is under .${target.domain}`;
    return passed(
      "resolves",
      `${host} ${what}, so only a browser with the PAC file, or a program with http_proxy, finds it`,
      `the PAC file is http://localhost:${sight.port}/proxy.pac; ${serviceUrl(target.name, sight.urlPorts.http)} needs none`,
    );
  }
  const addresses = await addressesOf(host, { deadline: connectDeadline });
  if (addresses === "late") {
    return passed(
      "resolves",
      "the system's resolver did not answer in time; browsers do not need it",
    );
  }
  const elsewhere = elsewhereIn(addresses);
  if (elsewhere.length > 0) {
    return failed(
      "resolves",
      `the system's resolver has ${listed(elsewhere)} for ${host}, which is not this machine's loopback`,
      "remove the entry from /etc/hosts or from the name server: names under .localhost are 127.0.0.1 or ::1",
    );
  }
  if (addresses.length === 0) {
    return passed(
      "resolves",
      `the system's resolver does not know ${host}; browsers and curl do not need it`,
      `for other programs: ${await resolverRemedy(here, [host])}; or for one command: http_proxy=http://127.0.0.1:${sight.port}`,
    );
  }
  return passed("resolves", `${host} is ${listed(addresses)}`);
}
