/** The text that a person types for a server, such as `api`, `api.localhost` or a URL -> its name and path. Pure. */
import { listed } from "../text/list.ts";
import { printable } from "../text/printable.ts";
import { classifyHost } from "./host.ts";

export type Target =
  | {
      kind: "name";
      /** Lower case, without its domain. */
      name: string;
      /** As written: `localhost`, a configured domain, or "" for a bare name. Only `localhost` needs no PAC file. */
      domain: string;
      scheme: "http" | "https";
      /** The port of a URL, by default its scheme's; undefined for a name. */
      port: number | undefined;
      /** The path with the query, without the fragment; `/` by default. */
      path: string;
    }
  /** `localhost`: the proxy's own pages. */
  | { kind: "own"; scheme: "http" | "https"; port: number | undefined; path: string }
  | { kind: "mistake"; what: string };

const schemes: Record<string, { scheme: "http" | "https"; port: number }> = {
  "http:": { scheme: "http", port: 80 },
  "ws:": { scheme: "http", port: 80 },
  "https:": { scheme: "https", port: 443 },
  "wss:": { scheme: "https", port: 443 },
};

/** `tlds` are the configured domains. */
export function readTarget(text: string, tlds: readonly string[] = []): Target {
  const shown = JSON.stringify(printable(text, 100));
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  // A URL parser takes a number for an IPv4 address.
  if (/^\d+$/.test(text)) {
    const what = `${shown} is a number, and no name; for the port of each server: localhostess ls`;
    return { kind: "mistake", what };
  }
  const url = URL.parse(isUrl ? text : `http://${text}`);
  if (url === null || url.hostname === "" || url.username !== "" || /[\s\\]/.test(text)) {
    return { kind: "mistake", what: `${shown} is neither a name nor a URL` };
  }
  const spoken = schemes[url.protocol];
  if (spoken === undefined) {
    return { kind: "mistake", what: `${shown}: only http:// and https:// URLs are supported` };
  }
  const host = url.hostname.replace(/\.$/, "");
  const named = url.port === "" ? undefined : Number(url.port);
  const rest = {
    scheme: spoken.scheme,
    port: named ?? (isUrl ? spoken.port : undefined),
    path: `${url.pathname}${url.search}`,
  };
  const own =
    host === "localhost" ||
    [".localhost", ...tlds.map((tld) => `.${tld}`)].some((its) => host.endsWith(its));
  // Without a scheme, `api.shop` can only be meant as a name.
  const full = isUrl || own ? host : `${host}.localhost`;
  const meaning = classifyHost(/^[\d.]+$|^\[/.test(host) ? host : full, tlds);
  switch (meaning.kind) {
    case "own":
      return { kind: "own", ...rest };
    case "name":
      return { kind: "name", name: meaning.name, domain: meaning.domain, ...rest };
    case "foreign":
      return {
        kind: "mistake",
        what: `${printable(host, 100)} is not served by localhostess: names end in ${endings(tlds)}, or have no dot`,
      };
  }
}

/** ".localhost", ".test". */
function endings(tlds: readonly string[]): string {
  return listed(
    ["localhost", ...tlds].map((domain) => `.${domain}`),
    { conjunction: "or" },
  );
}
