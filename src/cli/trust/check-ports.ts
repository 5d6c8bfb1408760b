/** The proxy's ports -> findings about who listens on them. */
import type { Registration } from "../../control/found/registration.ts";
import { defaultPorts, originOf, type Scheme } from "../../routes/service-row.ts";
import { listed } from "../../text/list.ts";
import type { Machine } from "../../tls/trust/store.ts";
import { ask } from "../shared/ask.ts";
import { holdersOf } from "../shared/port-holder.ts";
import { defaultPort, type Settings } from "../shared/settings.ts";
import type { Finding } from "./finding.ts";
import { listensBy, whyNotListening } from "./why-not-listening.ts";

/** Milliseconds; everything is on this machine. */
const patience = 2000;

type Looked = {
  /** The proxy's port. */
  main: number;
  proxy: Registration | undefined;
  settings: Settings;
  machine: Machine;
};

export async function checkPorts(looked: Looked): Promise<Finding[]> {
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
      detail: `localhostess answers on ${listed(places)}${other ? "; another program has the other address" : ""}`,
      fix: other ? `stop it, or choose another port: ${startOn(0)}` : null,
    };
  }
  if (answers.every((answer) => answer === "nobody")) {
    const fix = startOn(port);
    return { check, level: "warning", detail: "the proxy is not running", fix };
  }
  const [{ who, stop } = unseen] = await holdersOf([port], settings);
  const fix = stop === undefined ? startOn(0) : `${stop}, or choose another port: ${startOn(0)}`;
  return { check, level: "broken", detail: `it is in use by ${who}`, fix };
}

const unseen = { who: "another program", stop: undefined };

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

/** The ports of URLs without a port; everything else works without them. */
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
    return finding(`not used, because of ${who}`);
  }
  // Port 0, or the main port, which has its own finding.
  if (port === undefined || port === main) return [];
  const answers = await Promise.all(loopback.map((address) => frontPage(address, port)));
  const without = `URLs need a port: ${originOf("<name>.localhost", { scheme, port: main })}`;
  if (answers.includes("another") || answers.includes("ours")) {
    const [holder] = await holdersOf([port], settings);
    const { who, pid, ours } = holder!;
    if (answers.includes("ours") && (ours || pid === undefined || proxy === undefined)) {
      const places = loopback.filter((_, index) => answers[index] === "ours");
      return finding(`localhostess answers on ${listed(places)}${await listensBy(port, machine)}`);
    }
    const fix = pid === undefined ? null : `kill ${pid}, then restart the proxy`;
    return finding(`it is in use by ${who}, so ${without}`, fix);
  }
  const isRunning = proxy !== undefined;
  const not = await whyNotListening(port, { machine, isRunning });
  if (not !== undefined) return finding(`${not.why}, so ${without}`, not.fix);
  const again = proxy === undefined ? "" : `kill ${proxy.pid}, and restart the proxy: `;
  return finding(`nothing listens there, so ${without}`, `${again}${startOn(main)}`);
}
