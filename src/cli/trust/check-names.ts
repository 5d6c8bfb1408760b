/** The programs that resolve names -> findings about whether they find `*.localhost`. */
import { whereIs } from "../../system/search-path.ts";
import { listed } from "../../text/list.ts";
import { installCommand } from "../../tls/trust/install-command.ts";
import type { Machine } from "../../tls/trust/store.ts";
import { addressesOf, elsewhereIn } from "../shared/resolver.ts";
import type { Finding } from "./finding.ts";

/** Milliseconds; everything is on this machine. */
const patience = 2000;

/** A name that no server has. */
const probe = "localhostess-doctor.localhost";

export async function checkNames(port: number, machine: Machine): Promise<Finding[]> {
  return await Promise.all([systemResolver(port, machine), curl(port, machine), chromium(machine)]);
}

/** The resolver that most programs use. RFC 6761 section 6.3 wants these names on loopback; many ignore it. */
async function systemResolver(port: number, machine: Machine): Promise<Finding> {
  const check = "names by the system's resolver";
  const addresses = await addressesOf(probe, { deadline: patience });
  const proxies = `http_proxy=http://127.0.0.1:${port} for one program`;
  if (addresses === "late" || addresses.length === 0) {
    const detail =
      addresses === "late"
        ? "it does not answer for *.localhost in time"
        : "it does not know *.localhost; browsers and curl do not need it, Python and Node's fetch do";
    const install =
      machine.platform === "linux" ? `${await installCommand("resolver", machine)}, or ` : "";
    return { check, level: "warning", detail, fix: `${install}${proxies}` };
  }
  const elsewhere = elsewhereIn(addresses);
  if (elsewhere.length > 0) {
    const detail = `it resolves *.localhost to ${listed(elsewhere)}, which is not this machine's loopback`;
    const fix = "remove the entry from /etc/hosts or from the name server";
    return { check, level: "broken", detail, fix };
  }
  return {
    check,
    level: "ok",
    detail: `*.localhost is ${listed(addresses)}`,
    fix: null,
  };
}

/** CURLE_COULDNT_RESOLVE_HOST: curl found no address for a host. */
const couldNotResolve = 6;

async function curl(port: number, machine: Machine): Promise<Finding> {
  const check = "names by curl";
  const url = `http://${probe}:${port}/`;
  // -q: ignore the person's ~/.curlrc.
  const result = await machine.run(
    ["curl", "-q", "-s", "-o", "/dev/null", "--noproxy", "*", "--max-time", "2", url],
    { deadline: 2 * patience },
  );
  if (result.kind === "missing")
    return { check, level: "ok", detail: "curl is not installed", fix: null };
  if (result.kind === "failed") return { check, level: "warning", detail: result.why, fix: null };
  if (result.code !== couldNotResolve) {
    return { check, level: "ok", detail: "it finds *.localhost", fix: null };
  }
  const detail = "it does not find *.localhost; versions from 7.77 on do";
  return {
    check,
    level: "warning",
    detail,
    fix: `http_proxy=http://127.0.0.1:${port}, or a newer curl`,
  };
}

/** Chromium needs no resolver for these names since version 64, so it is not started. */
async function chromium({ env }: Machine): Promise<Finding> {
  const check = "names by Chromium";
  const programs = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const found = programs.map((name) => whereIs(name, env.PATH)).find(Boolean);
  const detail = found
    ? `${found} finds *.localhost without a resolver`
    : "not found in PATH; it finds *.localhost without a resolver";
  return { check, level: "ok", detail, fix: null };
}
