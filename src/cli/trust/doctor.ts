/** `localhostess doctor` -> what works on this machine and what does not, each with the command that mends it. Changes nothing. */
import { lookup } from "node:dns/promises";
import { join } from "node:path";
import type { Registration } from "../../control/found/registration.ts";
import { printable } from "../../text/printable.ts";
import type { ReadConfig } from "../../manifest/config.ts";
import { riskOf } from "../../manifest/tld.ts";
import { classifyHost } from "../../routes/host.ts";
import { defaultPorts, originOf, type Scheme } from "../../routes/service-row.ts";
import { whereIs } from "../../system/search-path.ts";
import { readText } from "../../system/read-text.ts";
import {
  type CertificateAuthority,
  daysLeft,
  loadCertificateAuthority,
} from "../../tls/certificate-authority.ts";
import { differenceOf } from "../../tls/permitted.ts";
import { installCommand } from "../../tls/trust/install-command.ts";
import type { Machine } from "../../tls/trust/store.ts";
import { trustStores } from "../../tls/trust/stores.ts";
import { ask } from "../shared/ask.ts";
import { configuration } from "../shared/configuration.ts";
import { ownersOf, portsOf, sourceOf } from "../shared/look.ts";
import {
  certificateAuthorityOptions,
  type MachineFlags,
  machineOf,
  served,
} from "../shared/machine.ts";
import { holdersOf, rightCommand } from "../shared/port-holder.ts";
import { defaultPort, type Settings, settingsOf } from "../shared/settings.ts";
import { runningDaemon } from "../shared/daemon-here.ts";
import { certificateOf } from "./trust.ts";
import type { World } from "../shared/world.ts";

export type Finding = {
  check: string;
  /** `warning`: it works, but not for everyone, or not for long. */
  level: "ok" | "warning" | "broken";
  detail: string;
  /** What to do; null where nothing needs to be done. */
  fix: string | null;
};

/** Days before an authority's end at which it is said. */
const warnDays = 90;

/** Milliseconds; everything is on this machine. */
const patience = 2000;

/** A name that nobody has. */
const probe = "localhostess-doctor.localhost";

export async function doctor(flags: MachineFlags, world: World): Promise<number> {
  const config = await configuration(world);
  // What is wrong with the file is a finding, and no reason to look at nothing else.
  const broken = config.kind === "mistakes";
  const settings = await served(await settingsOf(flags, world, { withoutConfig: broken }));
  const machine = machineOf(flags, world);
  const proxy = await runningDaemon(settings);
  const { port } = portsOf(settings, proxy);
  const findings: Finding[] = [];
  const parts = [
    () => configured(config, settings),
    () => authorities(settings, machine),
    () => ports({ main: port, proxy, settings, machine }),
    () => names(port, machine),
  ];
  for (const part of parts) {
    for (const finding of await part()) {
      findings.push(finding);
      if (!settings.json) tell(finding, world);
    }
  }
  if (settings.json) world.out.write(`${JSON.stringify(findings, undefined, 2)}\n`);
  return findings.some(({ level }) => level === "broken") ? 1 : 0;
}

function tell({ check, level, detail, fix }: Finding, { out }: World): void {
  const color = { ok: out.colors.green, warning: out.colors.yellow, broken: out.colors.red }[level];
  out.write(`${color(level.padEnd(7))}  ${check}: ${printable(detail, 2000)}\n`);
  if (fix !== null)
    out.write(`${" ".repeat(9)}${out.colors.yellow(`-> ${printable(fix, 2000)}`)}\n`);
}

function configured(config: ReadConfig, { tlds }: Settings): Finding[] {
  const findings: Finding[] = [];
  if (config.kind === "mistakes") {
    for (const detail of config.mistakes) {
      findings.push({ check: "configuration", level: "broken", detail, fix: null });
    }
  }
  for (const tld of tlds) {
    const risk = riskOf(tld);
    const check = `names under .${tld}`;
    if (risk === undefined) {
      const detail = "browsers find them by the PAC file";
      findings.push({ check, level: "ok", detail, fix: null });
    } else {
      findings.push({ check, level: "warning", detail: risk, fix: 'tlds = ["test"]' });
    }
  }
  return findings;
}

function constraint(ca: CertificateAuthority, { tlds }: Settings): Finding[] {
  const difference = differenceOf(ca.permitted, tlds);
  if (difference === undefined) return [];
  const { what, fix } = difference;
  return [{ check: "authority: names", level: "warning", detail: what, fix }];
}

/** Nothing is wrong with an older one, which goes on until the person wants another. */
function purposes(authority: string, { serversOnly, kind }: CertificateAuthority): Finding[] {
  if (serversOnly) return [];
  return [
    {
      check: `${authority}: purposes`,
      level: "ok",
      detail: "it may sign for mail and programs, too; a new one would be for servers only",
      fix: renewal(kind),
    },
  ];
}

function renewal(kind: CertificateAuthority["kind"]): string {
  return `localhostess trust ${kind === "bare" ? "--bare-names " : ""}--renew`;
}

async function authorities(settings: Settings, machine: Machine): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const kind of ["names", "bare"] as const) {
    const check = kind === "names" ? "authority" : "authority for bare names";
    const loaded = await loadCertificateAuthority(certificateAuthorityOptions(kind, settings));
    if (loaded.kind === "broken") {
      for (const problem of loaded.problems)
        findings.push(brokenCertificateAuthority(check, problem));
    } else if (loaded.kind === "ready") {
      const its = loaded.ca;
      findings.push(
        { check, level: "ok", detail: `${its.commonName}, in ${its.certificatePath}`, fix: null },
        { check: `${check}: key`, level: "ok", detail: "only you can read it", fix: null },
        expiry(check, its),
        ...constraint(its, settings),
        ...purposes(check, its),
        ...(await stores(its, machine)),
      );
    } else if (kind === "names") {
      const detail = "there is none yet; it is made by the first https connection, or by";
      findings.push({ check, level: "warning", detail, fix: "localhostess trust" });
    }
  }
  return findings;
}

/** "<path>: <what>; <what to do>". */
function brokenCertificateAuthority(check: string, problem: string): Finding {
  const cut = problem.lastIndexOf("; ");
  return {
    check,
    level: "broken",
    detail: cut === -1 ? problem : problem.slice(0, cut),
    fix: cut === -1 ? null : problem.slice(cut + 2),
  };
}

function expiry(authority: string, { expiresAt, kind }: CertificateAuthority): Finding {
  const left = daysLeft({ expiresAt }, Date.now());
  const day = new Date(expiresAt).toISOString().slice(0, 10);
  const near = left <= warnDays;
  return {
    check: `${authority}: expiry`,
    level: near ? "warning" : "ok",
    detail: near ? `it ends in ${left} days, on ${day}` : `it is valid until ${day}`,
    fix: near ? renewal(kind) : null,
  };
}

async function stores(ca: CertificateAuthority, machine: Machine): Promise<Finding[]> {
  const command = `localhostess trust${ca.kind === "bare" ? " --bare-names" : ""}`;
  const certificate = certificateOf(ca);
  const found = await trustStores(machine);
  return await Promise.all(
    found.map(async (store): Promise<Finding> => {
      const result = await store.check(certificate);
      const check = `${ca.kind === "bare" ? "bare names trusted by" : "trusted by"} ${store.name}`;
      if (result.kind === "trusted") return { check, level: "ok", detail: "yes", fix: null };
      return {
        check,
        level: "warning",
        detail: result.kind === "absent" ? (result.why ?? "no") : `unknown: ${result.why}`,
        fix: result.kind === "absent" ? command : result.fix,
      };
    }),
  );
}

type Looked = {
  /** The proxy's port. */
  main: number;
  proxy: Registration | undefined;
  settings: Settings;
  machine: Machine;
};

async function ports(looked: Looked): Promise<Finding[]> {
  return [
    await mainPort(looked.main, looked.settings),
    ...(await standardPort("http", looked)),
    ...(await standardPort("https", looked)),
  ];
}

async function mainPort(port: number, settings: Settings): Promise<Finding> {
  const check = `port ${port}`;
  const answers = await Promise.all(loopback.map((address) => frontPage(address, port)));
  const [v4, v6] = answers;
  if (answers.includes("ours")) {
    const places = loopback.filter((_, index) => answers[index] === "ours");
    const other = v4 === "another" || v6 === "another";
    return {
      check,
      level: other ? "warning" : "ok",
      detail: `localhostess answers on ${places.join(" and ")}${other ? "; another program has the other address" : ""}`,
      fix: other ? `stop it, or choose another port: ${startOn(0)}` : null,
    };
  }
  if (answers.every((answer) => answer === "nobody")) {
    const fix = startOn(port);
    return { check, level: "warning", detail: "the proxy is not running", fix };
  }
  const scan = await sourceOf({ ...settings, allUsers: true }).scan();
  const [holder] = ownersOf(scan, port);
  const who = holder === undefined ? "another program" : `pid ${holder.pid}, ${holder.command}`;
  const fix =
    holder === undefined ? startOn(0) : `kill ${holder.pid}, or choose another port: ${startOn(0)}`;
  return { check, level: "broken", detail: `it is held by ${who}`, fix };
}

const loopback = ["127.0.0.1", "::1"];

function startOn(port: number): string {
  return `localhostess server start${port === defaultPort ? "" : ` --port ${port}`}`;
}

type Holder = "ours" | "another" | "nobody";

async function frontPage(address: string, port: number): Promise<Holder> {
  const request = `GET / HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`;
  const answer = await ask({ address, port, deadline: patience, request });
  if (answer.kind === "answer") return answer.server === "localhostess" ? "ours" : "another";
  const nobody = ["connection refused", "this machine has no such address", "no network there"];
  return answer.kind === "failed" && nobody.includes(answer.why) ? "nobody" : "another";
}

/** URLs without a port need these two; everything works without them. */
async function standardPort(
  scheme: Scheme,
  { main, proxy, settings, machine }: Looked,
): Promise<Finding[]> {
  const { port: asked, chosen } = settings.standardPorts[scheme];
  const variable = `LOCALHOSTESS_${scheme.toUpperCase()}_PORT`;
  const recorded = proxy?.[`${scheme}Port`];
  const port = chosen ? asked || recorded : (recorded ?? asked);
  const finding = (detail: string, fix: string | null = null): Finding[] => [
    { check: `port ${port ?? defaultPorts[scheme]}`, level: "ok", detail, fix },
  ];
  const origin = settings.config[`${scheme}_port`]?.origin;
  if (asked === undefined) {
    const who =
      origin === undefined || machine.env[variable] ? variable : `${origin.file}:${origin.line}`;
    return finding(`left alone, as ${who} says`);
  }
  // Any, or the main one, which has its line.
  if (port === undefined || port === main) return [];
  const answers = await Promise.all(loopback.map((address) => frontPage(address, port)));
  const without = `URLs have a port: ${originOf("<name>.localhost", { scheme, port: main })}`;
  if (answers.includes("another") || answers.includes("ours")) {
    const [holder] = await holdersOf([port], settings);
    const { who, pid, ours } = holder!;
    if (answers.includes("ours") && (ours || pid === undefined || proxy === undefined)) {
      const places = loopback.filter((_, index) => answers[index] === "ours");
      return finding(`localhostess answers on ${places.join(" and ")}`);
    }
    const fix = pid === undefined ? null : `kill ${pid}, then start the proxy again`;
    return finding(`it is held by ${who}, so ${without}`, fix);
  }
  const allowed =
    machine.platform === "darwin" || machine.privileged || port >= (await leastPort(machine));
  if (!allowed) return finding(`there is no right to it, so ${without}`, rightCommand([port]));
  const again = proxy === undefined ? "" : `kill ${proxy.pid}, and start the proxy again: `;
  return finding(`nobody listens there, so ${without}`, `${again}${startOn(main)}`);
}

/** Below it only root may listen: ip(7). */
async function leastPort({ root }: Machine): Promise<number> {
  const path = join(root, "proc/sys/net/ipv4/ip_unprivileged_port_start");
  const its = await readText(path, { longest: 1024 });
  // Not Linux, or older than 4.11.
  if (its.kind !== "text" || its.text.trim() === "") return 1024;
  return Number(its.text);
}

async function names(port: number, machine: Machine): Promise<Finding[]> {
  return await Promise.all([systemResolver(port, machine), curl(port, machine), chromium(machine)]);
}

/** What most programs ask: RFC 6761 section 6.3 wants these names on loopback, and many resolvers do not know. */
async function systemResolver(port: number, machine: Machine): Promise<Finding> {
  const check = "names by the system's resolver";
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), patience);
  const asked = lookup(probe, { all: true }).then(
    (found) => found.map(({ address }) => address),
    // Whatever its reason is, it has no address.
    (): string[] => [],
  );
  const addresses = await Promise.race([asked, late.promise]);
  clearTimeout(timer);
  const proxies = `http_proxy=http://127.0.0.1:${port} for one program`;
  if (addresses === "late" || addresses.length === 0) {
    const detail =
      addresses === "late"
        ? "it says nothing about *.localhost in time"
        : "it does not know *.localhost; browsers and curl do without it, Python and Node's fetch do not";
    const install =
      machine.platform === "linux" ? `${await installCommand("resolver", machine)}, or ` : "";
    return { check, level: "warning", detail, fix: `${install}${proxies}` };
  }
  const elsewhere = addresses.filter(
    (address) => classifyHost(address.includes(":") ? `[${address}]` : address).kind !== "own",
  );
  if (elsewhere.length > 0) {
    const detail = `it has *.localhost at ${elsewhere.join(", ")}, which is not this machine's loopback`;
    const fix = "remove it from /etc/hosts or from the name server that says so";
    return { check, level: "broken", detail, fix };
  }
  return {
    check,
    level: "ok",
    detail: `*.localhost is ${[...new Set(addresses)].join(" and ")}`,
    fix: null,
  };
}

/** What curl says where it found no address for a host: CURLE_COULDNT_RESOLVE_HOST. */
const couldNotResolve = 6;

async function curl(port: number, machine: Machine): Promise<Finding> {
  const check = "names by curl";
  const url = `http://${probe}:${port}/`;
  // -q: without the person's own settings, which come first to be read.
  const result = await machine.run(
    ["curl", "-q", "-s", "-o", "/dev/null", "--noproxy", "*", "--max-time", "2", url],
    { deadline: 2 * patience },
  );
  if (result.kind === "missing")
    return { check, level: "ok", detail: "there is no curl", fix: null };
  if (result.kind === "failed") return { check, level: "warning", detail: result.why, fix: null };
  if (result.code !== couldNotResolve) {
    return { check, level: "ok", detail: "it finds *.localhost", fix: null };
  }
  const detail = "it does not find *.localhost by itself, as it does from 7.77 on";
  return {
    check,
    level: "warning",
    detail,
    fix: `http_proxy=http://127.0.0.1:${port}, or a newer curl`,
  };
}

/** Not started: it needs no resolver for these names since version 64, which is older than all that still run. */
async function chromium({ env }: Machine): Promise<Finding> {
  const check = "names by Chromium";
  const programs = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const found = programs.map((name) => whereIs(name, env.PATH)).find(Boolean);
  const detail = found
    ? `${found} finds *.localhost without a resolver`
    : "there is none in PATH; it finds *.localhost without a resolver";
  return { check, level: "ok", detail, fix: null };
}
