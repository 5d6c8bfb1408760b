/** `localhostess why <url|name>` -> the way from a URL to its server, step by step, as far as it goes. */
import { lookup } from "node:dns/promises";
import { printable } from "../../text/printable.ts";
import { speaksTls } from "../../link/speaks-tls.ts";
import { classifyHost } from "../../routes/host.ts";
import type { Service } from "../../routes/service.ts";
import { originOf, secureUrl, serviceUrl } from "../../routes/service-row.ts";
import { systemClock } from "../../system/clock.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { maySignFor } from "../../tls/permitted.ts";
import { type Answer, ask, noAnswer } from "../shared/ask.ts";
import { find } from "./find.ts";
import { looker, ownersOf, type Sight } from "../shared/look.ts";
import { type Flags, type Settings, settingsOf, UsageError } from "../shared/settings.ts";
import { readTarget, type Target } from "../shared/target.ts";
import type { World } from "../shared/world.ts";

export type Step = {
  /** `certificate` is a step of https only. */
  step: "resolves" | "listens" | "routes" | "owner" | "dials" | "certificate" | "answers";
  ok: boolean;
  detail: string;
  /** What to do; null where nothing needs to be done. */
  fix: string | null;
};

type Wanted = Exclude<Target, { kind: "mistake" }>;

type Walk = {
  target: Wanted;
  sight: Sight;
  /** The port that the URL leads to. */
  port: number;
  /** As a browser has it in its address bar. */
  host: string;
  /** The domain of the name is not `localhost`: by way of the PAC file, whatever its port. */
  byPac: boolean;
  settings: Settings;
};

/** Milliseconds. Everything is on this machine, so what takes longer does not work. */
const connectDeadline = 2000;
/** A port of TLS closes at once. */
const probeDeadline = 250;
/** A dev server may compile a page before it answers. */
const answerDeadline = 10_000;

/** What a URL's host is dialled on, and what the proxy accepts connections on. */
const loopback = ["127.0.0.1", "::1"];

export async function why(text: string, flags: Flags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const sight = await looker(settings)();
  const target = readTarget(text, sight.tlds);
  if (target.kind === "mistake") throw new UsageError([target.what]);
  const byPac = target.kind === "name" && target.domain !== "localhost";
  const walk: Walk = {
    target,
    sight,
    // A mere name has no port.
    port: byPac ? sight.port : (target.port ?? sight.urlPorts[target.scheme]),
    host: hostOf(target),
    byPac,
    settings,
  };
  const steps: Step[] = [];
  for await (const step of walkAlong(walk)) {
    steps.push(step);
    if (!settings.json) tell(step, world);
  }
  if (settings.json) world.out.write(`${JSON.stringify(steps, undefined, 2)}\n`);
  return steps.every((step) => step.ok) ? 0 : 1;
}

function hostOf(target: Wanted): string {
  if (target.kind === "own") return "localhost";
  return target.domain === "" ? target.name : `${target.name}.${target.domain}`;
}

function tell({ step, ok, detail, fix }: Step, { out }: World): void {
  const { colors } = out;
  const mark = ok ? colors.green("ok  ") : colors.red("fail");
  out.write(`${mark}  ${step.padEnd(8)}  ${detail}\n`);
  if (fix !== null) out.write(`${" ".repeat(16)}${colors.yellow(`-> ${fix}`)}\n`);
}

function passed(step: Step["step"], detail: string, fix: string | null = null): Step {
  return { step, ok: true, detail, fix };
}

function failed(step: Step["step"], detail: string, fix: string): Step {
  return { step, ok: false, detail, fix };
}

/** Ends with the first step that fails. */
async function* walkAlong(walk: Walk): AsyncGenerator<Step> {
  const resolved = await resolves(walk);
  yield resolved;
  if (!resolved.ok) return;
  const listening = await listens(walk);
  yield listening.step;
  if (listening.address === undefined) return;
  if (walk.target.kind === "own") {
    yield passed("routes", "localhost is the proxy itself, with the list of servers");
  } else {
    const routed = routes(walk.target.name, walk.sight);
    yield routed.step;
    if (routed.service === undefined) return;
    yield owner(routed.service);
    const dialled = await dials(routed.service);
    yield dialled;
    if (!dialled.ok) return;
    if (walk.target.scheme === "https") {
      const certified = await certificate(walk, routed.service);
      yield certified.step;
      if (!certified.ours) return;
    }
  }
  yield await answers(walk, listening.address);
}

/** RFC 6761 section 6.3 wants `localhost.` names on loopback; browsers and curl see to it, many resolvers do not. */
async function resolves({ target, sight, host, byPac }: Walk): Promise<Step> {
  if (target.kind === "name" && byPac) {
    const what = target.domain === "" ? "has no dot" : `is under .${target.domain}`;
    return passed(
      "resolves",
      `${host} ${what}, so only a browser with our PAC file, or a program with http_proxy, finds it`,
      `the PAC file is http://localhost:${sight.port}/proxy.pac; ${serviceUrl(target.name, sight.urlPorts.http)} needs none`,
    );
  }
  const addresses = await addressesOf(host);
  if (addresses === "late") {
    return passed("resolves", `the system's resolver said nothing in time; browsers need none`);
  }
  const elsewhere = addresses.filter((address) => {
    return classifyHost(address.includes(":") ? `[${address}]` : address).kind !== "own";
  });
  if (elsewhere.length > 0) {
    return failed(
      "resolves",
      `${host} is ${elsewhere.join(", ")} for the system's resolver, which is not this machine's loopback`,
      `remove it from /etc/hosts or from the name server: everything under .localhost is 127.0.0.1 or ::1`,
    );
  }
  if (addresses.length === 0) {
    return passed(
      "resolves",
      `the system's resolver does not know ${host}; browsers and curl do without it`,
      `for other programs: http_proxy=http://127.0.0.1:${sight.port}, or install nss-myhostname`,
    );
  }
  return passed("resolves", `${host} is ${addresses.join(" and ")}`);
}

async function addressesOf(host: string): Promise<readonly string[] | "late"> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), connectDeadline);
  const asked = lookup(host, { all: true }).then(
    (found) => [...new Set(found.map(({ address }) => address))],
    // Whatever the resolver's reason is, it has no address.
    () => [],
  );
  const addresses = await Promise.race([asked, late.promise]);
  clearTimeout(timer);
  return addresses;
}

function requestOf(target: string, host: string): string {
  return [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}`,
    "User-Agent: localhostess",
    "Accept: */*",
    "Connection: close",
    "\r\n",
  ].join("\r\n");
}

/** Only our own pages say so; an app's answer carries its own Server field. */
function isOurs(answer: Answer): boolean {
  return answer.kind === "answer" && answer.server === "localhostess";
}

type Listening = { step: Step; address: string | undefined };

/** Asks for the front page, because something else may hold the port. */
async function listens({ target, sight, port }: Walk): Promise<Listening> {
  const { scheme } = target;
  const asked = loopback.map(async (address) => {
    const request = requestOf("/", `localhost:${port}`);
    const answer = await ask({ address, port, deadline: connectDeadline, request });
    return { address, answer: answer as Answer };
  });
  const answers = await Promise.all(asked);
  const ours = answers.filter(({ answer }) => isOurs(answer)).map(({ address }) => address);
  const fail = (detail: string, fix: string): Listening => ({
    step: failed("listens", detail, fix),
    address: undefined,
  });
  const right =
    target.kind === "own"
      ? `${originOf("localhost", { scheme, port: sight.urlPorts[scheme] })}/`
      : `${originOf(`${target.name}.localhost`, { scheme, port: sight.urlPorts[scheme] })}${target.path}`;
  const fix =
    sight.proxy !== undefined && sight.proxy.port !== port
      ? `the proxy is on port ${sight.proxy.port}: ${right}`
      : `start it: localhostess server start${port === 9090 ? "" : ` --port ${port}`}`;
  if (ours.length > 0) {
    const places = ours.map((address) => `${bracketed(address)}:${port}`).join(" and ");
    return { step: passed("listens", `localhostess answers on ${places}`), address: ours[0] };
  }
  const [holder] = ownersOf(sight.scan, port);
  if (holder !== undefined) {
    const who = `pid ${holder.pid}, ${printable(holder.command, 200)}`;
    return fail(`port ${port} is held by another program: ${who}`, fix);
  }
  const held = answers.some(
    ({ answer }) => answer.kind === "answer" || answer.why !== "connection refused",
  );
  const detail = held
    ? `something else than localhostess is on port ${port}`
    : `nothing listens on port ${port}`;
  return fail(detail, fix);
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

function routes(name: string, sight: Sight): { step: Step; service: Service | undefined } {
  const found = find(name, sight);
  if (found.kind === "unroutable") {
    const fix = "give one server another NAME, of letters, digits and hyphens, and start it again";
    return { step: failed("routes", found.why, fix), service: undefined };
  }
  if (found.kind === "unknown") {
    const fix =
      found.nearest === undefined
        ? `start a server under that name: NAME=${pastedWord(name)} bun dev`
        : `try: localhostess why ${pastedWord(found.nearest)}`;
    return { step: failed("routes", found.why, fix), service: undefined };
  }
  const { service } = found;
  const detail =
    service.name === name
      ? `${name} is a server with that NAME`
      : `no server is named ${name}, so ${service.name} answers for it`;
  return { step: passed("routes", detail), service };
}

function owner({ endpoint, process, command, cwd, warnings }: Service): Step {
  // The Swedish form is the ISO one, in local time.
  const started = new Date(process.startedAt).toLocaleString("sv");
  const place = cwd === undefined ? "" : ` in ${cwd}`;
  const socket = `${bracketed(endpoint.address)}:${endpoint.port}`;
  const detail = `${socket} belongs to pid ${process.pid}: ${command}${place}, since ${started}`;
  return passed("owner", detail, warnings.length === 0 ? null : warnings.join("; "));
}

/** In the proxy's order: the first that takes the connection is the one it uses. */
async function dials({ endpoint, process }: Service): Promise<Step> {
  const tried: string[] = [];
  for (const address of endpoint.dial) {
    const place = `${bracketed(address)}:${endpoint.port}`;
    const answer = await ask({ address, port: endpoint.port, deadline: connectDeadline });
    if (answer.kind !== "failed") {
      const speaks = (await isSecured(address, endpoint.port))
        ? ", and speaks TLS itself: it is dialled with TLS"
        : "";
      return passed("dials", [...tried, `${place} takes connections${speaks}`].join("; "));
    }
    tried.push(`${place}: ${answer.why}`);
  }
  return failed(
    "dials",
    tried.join("; "),
    `pid ${process.pid} may be suspended (kill -CONT ${process.pid}) or too busy; start it again if not`,
  );
}

type Certified = {
  step: Step;
  /** By the proxy, which then reads the request. */
  ours: boolean;
};

/** Who vouches for the name. The proxy's authorities are those of the same state directory. */
async function certificate(
  { target, host, byPac, sight, settings }: Walk,
  service: Service,
): Promise<Certified> {
  const { dial, port } = service.endpoint;
  // By way of the PAC file it comes in a tunnel, in which the server may speak for itself.
  if (byPac && (await isSecured(dial[0]!, port))) {
    const detail = `${service.name} speaks TLS itself, so it shows a certificate of its own for ${host}`;
    return { step: passed("certificate", detail), ours: false };
  }
  const [{ loadCertificateAuthority }, { certificateAuthorityOptions }] = await Promise.all([
    import("../../tls/certificate-authority.ts"),
    import("../shared/machine.ts"),
  ]);
  const domain = target.kind === "name" ? target.domain : "localhost";
  const fail = (detail: string, fix: string): Certified => ({
    step: failed("certificate", detail, fix),
    ours: false,
  });
  const loaded = await loadCertificateAuthority(
    certificateAuthorityOptions(domain === "" ? "bare" : "names", settings),
  );
  if (loaded.kind === "broken") {
    return fail(loaded.problems.join("; "), "localhostess doctor says more");
  }
  if (loaded.kind === "absent") {
    if (domain !== "") {
      const detail = "the authority is made by the first connection";
      return { step: passed("certificate", detail, "localhostess trust"), ours: true };
    }
    return fail(
      `no authority signs for names without a dot, so ${host} is answered with the certificate of ${service.name}.localhost`,
      `${secureUrl(target.kind === "name" ? target.name : service.name, sight.urlPorts.https)}${target.path}, or a second authority: localhostess trust --bare-names`,
    );
  }
  const { commonName, permitted } = loaded.ca;
  if (domain !== "" && domain !== "localhost" && !maySignFor(domain, permitted)) {
    const detail = `the authority (${commonName}) may not sign for names under .${domain}`;
    return fail(detail, "localhostess trust --renew");
  }
  return { step: passed("certificate", `${commonName} signs for ${host}`), ours: true };
}

/** Asked only where a plain request, which changes nothing anywhere, has no answer of HTTP or one that is a complaint. */
async function isSecured(address: string, port: number): Promise<boolean> {
  const answer = await ask({
    address,
    port,
    deadline: probeDeadline,
    request: requestOf("*", `localhost:${port}`).replace("GET", "OPTIONS"),
  });
  const doubtful =
    answer.kind === "failed"
      ? answer.why !== noAnswer(probeDeadline)
      : answer.kind === "answer" && answer.status === 400;
  return doubtful && (await speaksTls({ address, port }, systemClock)) === true;
}

async function answers({ target, port, host, byPac }: Walk, address: string): Promise<Step> {
  const secure = target.scheme === "https";
  const origin = originOf(host, { scheme: target.scheme, port });
  const authority = byPac ? host : origin.slice(`${target.scheme}://`.length);
  // Inside a tunnel a request is what it is to a server.
  const request =
    byPac && !secure
      ? requestOf(`http://${authority}${target.path}`, authority)
      : requestOf(target.path, authority);
  const url = `${secure ? "https" : "http"}://${authority}${target.path}`;
  const answer = await ask({
    address,
    port,
    deadline: answerDeadline,
    request,
    serverName: secure ? host : undefined,
    tunnel: secure && byPac ? `${host}:443` : undefined,
  });
  if (answer.kind === "connected") throw new Error("a request was not sent");
  if (answer.kind === "failed") {
    return failed(
      "answers",
      `GET ${printable(url)}: ${answer.why}`,
      "the terminal of the server, or of localhostess server start, may say more",
    );
  }
  const status = `${answer.status} ${printable(answer.reason, 60)}`.trim();
  const detail = `GET ${printable(url)} is answered with ${status}`;
  if (target.kind === "name" && isOurs(answer)) {
    return failed(
      "answers",
      `${detail}, by the proxy itself`,
      `see what it says: curl ${serviceUrl(target.name, port)}/`,
    );
  }
  if (secure && answer.status < 400) {
    const fix = "where a client does not trust the certificate: localhostess trust";
    return passed("answers", detail, fix);
  }
  if (answer.status < 400 || target.kind === "own") return passed("answers", detail);
  return passed("answers", detail, "this is the server's own answer; its terminal may say more");
}
