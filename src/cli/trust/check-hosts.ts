/** The names that services have now, and this user's block in the hosts file -> findings about the one in the other. */
import packageJson from "../../../package.json" with { type: "json" };
import { hostNames, isUnder } from "../../helper/host-names.ts";
import {
  hostsRight,
  type HostsRight,
  mayWrite,
  setupHosts,
  writableDomains,
} from "../../helper/hosts-right.ts";
import { type Standing, standingOf } from "../../helper/read-hosts.ts";
import { routeTable } from "../../routes/table.ts";
import { counted } from "../../text/counted.ts";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import type { Machine } from "../../tls/trust/store.ts";
import type { Sight } from "../shared/look.ts";
import type { Settings } from "../shared/settings.ts";
import type { Finding } from "./finding.ts";

export type HostsChecked = {
  settings: Pick<Settings, "config" | "sandbox" | "ownPlace">;
  machine: Pick<Machine, "platform" | "root" | "run">;
  uid: number;
  /** The services that the daemon has now, or this machine where none runs. */
  look(): Promise<Sight>;
  /** The daemon gathers changes: a block that is behind is looked at again after this. */
  later(): Promise<void>;
};

const check = "names in /etc/hosts";

export async function checkHosts(checked: HostsChecked): Promise<Finding[]> {
  const { settings, machine, uid } = checked;
  const place = { root: machine.root, uid };
  const wanted = settings.config.hosts?.value;
  if (settings.sandbox !== undefined || !settings.ownPlace) {
    return [fine("only the usual daemon of a user writes them, and this is another one")];
  }
  const right = hostsRight(place, machine);
  const isWanted = wanted ?? (mayWrite(place) && (right.kind !== "none" || right.isAsked));
  if (!isWanted) return [unwanted(wanted, standingOf([], place))];
  if (right.kind === "none") return [warning(`they are not kept there: ${right.why}`, right.fix)];
  const version = await otherVersion(right, machine);
  if (version !== undefined) {
    const why = `${printable(version, 40)}, and this is ${packageJson.version}`;
    return [warning(`they are not kept there: the program is of version ${why}`, setupHosts)];
  }
  return await standing(checked, right);
}

/** Nobody has asked for it. */
function unwanted(wanted: boolean | undefined, its: Standing): Finding {
  if (its.kind !== "behind") {
    const why = wanted === false ? "hosts = false in config.toml" : "nobody has asked for it";
    return fine(`they are not kept there: ${why}`);
  }
  return warning("names of an earlier time are there", `${setupHosts} --remove`);
}

async function otherVersion(right: HostsRight, { run }: Pick<Machine, "run">) {
  if (right.kind !== "program") return undefined;
  const its = await run([right.path, "--version"]);
  const theirs = its.kind === "done" ? its.stdout.trim() : "unknown";
  return theirs === packageJson.version ? undefined : theirs;
}

async function standing(checked: HostsChecked, right: HostsRight): Promise<Finding[]> {
  const place = { root: checked.machine.root, uid: checked.uid };
  const domains =
    right.kind === "program" ? ["localhost", ...writableDomains(place.root)] : undefined;
  const now = async () => {
    const sight = await checked.look();
    const { services, supervised, tlds, routing } = sight;
    const { origins } = routeTable(services, { supervised, tlds, ...routing });
    const all = hostNames({ services, supervised, origins, tlds });
    const names = sight.proxy === undefined ? [] : all.names;
    const written = domains === undefined ? names : names.filter(isUnder(domains));
    const closed = tlds.filter(
      (tld) => domains?.some((its) => isUnder([its])(`x.${tld}`)) === false,
    );
    return { written, closed, leftOut: all.leftOut, its: standingOf(written, place) };
  };
  let seen = await now();
  if (seen.its.kind === "behind") {
    await checked.later();
    seen = await now();
  }
  return [
    blockFinding(seen.its, seen.written),
    ...seen.closed.map((tld) =>
      warning(
        `/etc/localhostess/domains does not have ${tld}, so its names are not written`,
        setupHosts,
      ),
    ),
    ...(seen.leftOut.length === 0
      ? []
      : [
          warning(
            `${printable(listed(seen.leftOut.slice(0, 10)), 1_000)} cannot stand there`,
            "a name of at most 63 letters, digits and inner hyphens in each part",
          ),
        ]),
  ];
}

function blockFinding(its: Standing, names: readonly string[]): Finding {
  switch (its.kind) {
    case "in step": {
      const others = its.leftOut.length === 0 ? "" : `; other lines have ${listed(its.leftOut)}`;
      return fine(
        `${counted(names.length - its.leftOut.length, "name")}, as they are now${others}`,
      );
    }
    case "behind": {
      if (names.length > 0) {
        return warning(
          "they are not as the daemon has them; its log says why",
          "localhostess server status",
        );
      }
      return warning("names of an earlier daemon are left there", "localhostess server start");
    }
    case "torn": {
      const detail = `line ${its.line}: ${its.why}; until then, names are not written`;
      return { check, level: "broken", detail, fix: "sudoedit /etc/hosts" };
    }
    case "unreadable":
      return { check, level: "broken", detail: its.why, fix: null };
  }
}

function fine(detail: string): Finding {
  return { check, level: "ok", detail, fix: null };
}

function warning(detail: string, fix: string): Finding {
  return { check, level: "warning", detail, fix };
}
