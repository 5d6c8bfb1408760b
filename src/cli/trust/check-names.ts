/** The kinds of programs that open URLs -> findings about whether each finds `*.localhost`. */
import { setupHosts } from "../../helper/hosts-right.ts";
import { whereIs } from "../../system/search-path.ts";
import { listed } from "../../text/list.ts";
import type { Machine } from "../../tls/trust/store.ts";
import { addressesOf, elsewhereIn } from "../shared/resolver.ts";
import { resolverRemedy } from "../shared/resolver-remedy.ts";
import type { Finding } from "./finding.ts";

/** Milliseconds; everything is on this machine, and programs such as Node have to start first. */
const patience = 4000;

/** A name that no server has. */
const unknownName = "localhostess-doctor.localhost";

type Checked = {
  machine: Machine;
  /** The proxy's port. */
  port: number;
  /** The command that teaches the system's resolver these names. */
  remedy: string;
  /** The addresses of a host, as the system's resolver has them. */
  lookup: typeof addressesOf;
  /** The name that programs are asked for. */
  probe: string;
  /** The names that this stands for: `*.localhost`. */
  names: string;
};

type Options = {
  machine: Machine;
  lookup?: typeof addressesOf;
  /** A name that the hosts file has of ours: with such names, no other one has to be found. */
  kept?: string | undefined;
};

export async function checkNames(
  port: number,
  { machine, lookup = addressesOf, kept }: Options,
): Promise<Finding[]> {
  const remedy = await resolverRemedy(machine, ["api.localhost"]);
  const probe = kept ?? unknownName;
  const names = kept === undefined ? "*.localhost" : `${kept} (in /etc/hosts)`;
  const checked = { machine, port, remedy, lookup, probe, names };
  const found = await Promise.all([
    systemResolver(checked),
    curl(checked),
    node(checked),
    python(checked),
    chromium(machine),
    firefox(machine),
  ]);
  const [system] = found;
  return machine.platform === "darwin" ? [...found, safari(system!, checked)] : found;
}

/** The resolver that most programs use. RFC 6761 section 6.3 wants these names on loopback; many ignore it. */
async function systemResolver({ remedy, lookup, probe, names }: Checked): Promise<Finding> {
  const check = "names by the system's resolver";
  const addresses = await lookup(probe, { deadline: patience });
  if (addresses === "late") {
    return warning(check, `it does not answer for ${names} in time`, remedy);
  }
  if (addresses.length === 0) {
    const detail = `it does not know ${names}; browsers and curl do not need it, most other programs do`;
    return warning(check, detail, `${remedy}; or, for names of services: ${setupHosts}`);
  }
  const elsewhere = elsewhereIn(addresses);
  if (elsewhere.length > 0) {
    const detail = `it resolves ${names} to ${listed(elsewhere)}, which is not this machine's loopback`;
    const fix = "remove the entry from /etc/hosts or from the name server";
    return { check, level: "broken", detail, fix };
  }
  return fine(check, `${names} is ${listed(addresses)}`);
}

/** CURLE_COULDNT_RESOLVE_HOST: curl found no address for a host. */
const couldNotResolve = 6;

async function curl({ machine, port, remedy }: Checked): Promise<Finding> {
  const check = "names by curl";
  // A request, which no service is to get.
  const url = `http://${unknownName}:${port}/`;
  // -q: ignore the person's ~/.curlrc.
  const result = await machine.run(
    ["curl", "-q", "-s", "-o", "/dev/null", "--noproxy", "*", "--max-time", "2", url],
    { deadline: patience },
  );
  if (result.kind === "missing") return fine(check, "curl is not installed");
  if (result.kind === "failed") return unknown(check, result.why, remedy);
  if (result.code !== couldNotResolve) return fine(check, "it finds *.localhost");
  const detail = "it does not find *.localhost; versions from 7.77 on do";
  return warning(check, detail, `${remedy}; or ${proxied("curl …", { machine, port })}`);
}

/** The look-up that `fetch` makes before it connects. */
const nodeScript = `require("node:dns").lookup(process.argv[1], (error) =>
  console.log(JSON.stringify({ version: process.versions.node, code: error?.code ?? null })));`;

async function node({ machine, port, remedy, probe, names }: Checked): Promise<Finding> {
  const check = "names by Node's fetch";
  const result = await machine.run(["node", "-e", nodeScript, probe], { deadline: patience });
  if (result.kind === "missing") return fine(check, "Node is not installed");
  const said = result.kind === "done" ? readNode(result.stdout) : undefined;
  if (said === undefined) return unknown(check, whyNot(result), remedy);
  const { version, code } = said;
  if (code === null) return fine(check, `Node ${version} finds ${names}`);
  const detail = `Node ${version} does not find ${names}`;
  const variable = "NODE_USE_ENV_PROXY=1 ";
  const fix = readsProxy(version)
    ? `${remedy}; or ${proxied("node …", { machine, port, variable })}`
    : `${remedy} (http_proxy does not help: Node reads it from 22.21 and 24 on)`;
  return warning(check, detail, fix);
}

function readNode(text: string): { version: string; code: string | null } | undefined {
  try {
    const { version, code } = JSON.parse(text) as { version: unknown; code: unknown };
    if (typeof version !== "string" || !(code === null || typeof code === "string")) {
      return undefined;
    }
    return { version, code };
  } catch {
    // A program of this name that is not Node.
    return undefined;
  }
}

/** Whether `fetch` uses `http_proxy`, if NODE_USE_ENV_PROXY is set: since 24.0, and in 22.21. */
function readsProxy(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major >= 24 || (major === 22 && minor >= 21);
}

const pythonScript = `import socket, sys
try:
    socket.getaddrinfo(sys.argv[1], 80)
    print("found")
except socket.gaierror:
    print("unknown")`;

async function python({ machine, port, remedy, probe, names }: Checked): Promise<Finding> {
  const check = "names by Python";
  // -I: no module of the current folder, and no variable, takes part.
  const argv = ["python3", "-I", "-c", pythonScript, probe] as const;
  const result = await machine.run([...argv], { deadline: patience });
  if (result.kind === "missing") return fine(check, "Python is not installed");
  const said = result.kind === "done" ? result.stdout.trim() : "";
  if (said === "found") return fine(check, `it finds ${names}`);
  if (said !== "unknown") return unknown(check, whyNot(result), remedy);
  const fix = `${remedy}; or ${proxied("python3 …", { machine, port })}`;
  return warning(check, `it does not find ${names}`, fix);
}

type Proxied = { machine: Pick<Machine, "env">; port: number; variable?: string };

/** A command that finds the names of services without a resolver. `no_proxy` may except them from the proxy. */
function proxied(command: string, { machine: { env }, port, variable = "" }: Proxied): string {
  const excepted = `${env.no_proxy ?? ""},${env.NO_PROXY ?? ""}`;
  const excepts = /(^|[,\s])(\*?\.?localhost(:\d+)?|\*)([,\s]|$)/.test(excepted);
  const without = excepts ? "no_proxy= NO_PROXY= " : "";
  return `for one command, which then reaches services and nothing else: ${without}${variable}http_proxy=http://127.0.0.1:${port} ${command}`;
}

type Browser = {
  check: string;
  /** Names of the program in PATH. */
  programs: readonly string[];
  /** The first major version that finds these names. */
  since: number;
};

/** Each resolves names under localhost by itself, so it is asked for its version only: a window would be in the way. */
async function browser(machine: Machine, { check, programs, since }: Browser): Promise<Finding> {
  const program = programs.map((name) => whereIs(name, machine.env.PATH)).find(Boolean);
  if (program === undefined) {
    return fine(check, `not found in PATH; it finds *.localhost without a resolver`);
  }
  const result = await machine.run([program, "--version"], { deadline: patience });
  const text = result.kind === "done" ? result.stdout : "";
  const version = /\b(\d+)(\.\d+)+/.exec(text);
  // A wrapper that starts nothing, or a machine that is busy: nearly every version is new enough.
  if (version === null) return fine(check, `${program} finds *.localhost without a resolver`);
  if (Number(version[1]) >= since) {
    return fine(check, `${program} ${version[0]} finds *.localhost without a resolver`);
  }
  const detail = `${program} ${version[0]} leaves *.localhost to the system's resolver`;
  return warning(check, detail, `version ${since} or later`);
}

function chromium(machine: Machine): Promise<Finding> {
  const programs = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  return browser(machine, { check: "names by Chromium", programs, since: 64 });
}

function firefox(machine: Machine): Promise<Finding> {
  const programs = ["firefox", "firefox-esr"];
  return browser(machine, { check: "names by Firefox", programs, since: 84 });
}

/** By record, as no window is opened: Safari leaves these names to the system (WebKit bug 21898). */
function safari({ level }: Finding, { port, remedy }: Checked): Finding {
  const check = "names by Safari";
  const known = "Safari leaves *.localhost to the system's resolver (as known; not tested)";
  if (level === "ok") return fine(check, `${known}, which finds it`);
  const pac = `the PAC file http://localhost:${port}/proxy.pac, and http://api/`;
  return warning(check, `${known}, which does not find it`, `${remedy}; or ${pac}`);
}

function fine(check: string, detail: string): Finding {
  return { check, level: "ok", detail, fix: null };
}

function warning(check: string, detail: string, fix: string): Finding {
  return { check, level: "warning", detail, fix };
}

/** The program could not be asked. */
function unknown(check: string, why: string, remedy: string): Finding {
  return warning(check, why, `try the program itself; if it does not find *.localhost: ${remedy}`);
}

function whyNot(result: Awaited<ReturnType<Machine["run"]>>): string {
  if (result.kind === "failed") return result.why;
  if (result.kind === "missing") return "it is not installed";
  const line = result.stderr.trim().split("\n").at(-1) || `exit code ${result.code}`;
  return `it could not be asked: ${line}`;
}
