/** A word of `allow_origins` and an origin -> whether that is allowed; or why the word cannot be one. Pure. */
import { didYouMeanText } from "../text/nearest.ts";
import { shown } from "../text/shown.ts";

export type AllowedOrigin = { kind: "origin"; origin: string } | { kind: "mistake"; why: string };

/** Schemes of the web; others (`chrome-extension`, `vscode-webview`) have hosts that programs make up. */
const web = /^https?:\/\//;
const anySubdomain = "*.";

/**
 * `scheme://host[:port]` as browsers write it (RFC 6454 section 6.2), where `*.` before a domain stands for everything
 * under it, and `*` alone for every host of a scheme that is not the web's.
 */
export function readAllowedOrigin(text: string): AllowedOrigin {
  const mistake = (why: string): AllowedOrigin => ({
    kind: "mistake",
    why: `${shown(text)} ${why}`,
  });
  if (text === "null") {
    return mistake(
      'is the origin of every sandboxed page and local file, so it would let every site in; guard = "off" says that openly',
    );
  }
  if (text === "*") return mistake('is every site; guard = "off" says that openly');
  const parts = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(text);
  if (parts === null) {
    const guess = serialized(`https://${text}`);
    const meant = text.includes(":/") ? "" : meantText(guess);
    return mistake(
      `is not an origin; expected a scheme, a host and an optional port, such as "https://example.com"${meant}`,
    );
  }
  const [, scheme = "", rest = ""] = parts;
  if (!rest.includes("*")) {
    const origin = serialized(text);
    if (origin === text) return { kind: "origin", origin };
    return mistake(`is not in the form that browsers send${meantText(origin)}`);
  }
  if (rest === "*" && !web.test(text.toLowerCase())) {
    return scheme === scheme.toLowerCase()
      ? { kind: "origin", origin: text }
      : mistake(`is not in the form that browsers send${didYouMeanText(text.toLowerCase())}`);
  }
  const domain = rest.slice(anySubdomain.length);
  if (!rest.startsWith(anySubdomain) || domain.includes("*")) {
    return mistake('has * in a place other than before a domain, as in "https://*.example.com"');
  }
  const origin = serialized(`${scheme}://${domain}`);
  const wide = origin?.replace("://", `://${anySubdomain}`);
  if (origin === undefined || wide !== text) {
    return mistake(`is not in the form that browsers send${meantText(wide)}`);
  }
  const host = origin.slice(scheme.length + 3).replace(/:\d+$/, "");
  if (!host.includes(".") || /^[\d.]+$/.test(host)) {
    return mistake(
      `would let in everybody who can have a name under ${host}; name a domain of yours, as in "https://*.example.com"`,
    );
  }
  return { kind: "origin", origin: text };
}

/** Suggests what was probably meant, if that is valid itself. */
function meantText(guess: string | undefined): string {
  if (guess === undefined || readAllowedOrigin(guess).kind === "mistake") return "";
  return didYouMeanText(guess);
}

/** `origin`: as a browser sends it. */
export function isAllowedBy(allowed: string, origin: string): boolean {
  const star = allowed.indexOf("*");
  if (star === -1) return allowed === origin;
  // With the dot of `*.example.com`, so that `evilexample.com` is not under it.
  const [before, after] = [allowed.slice(0, star), allowed.slice(star + 1)];
  return (
    origin.length > before.length + after.length &&
    origin.startsWith(before) &&
    origin.endsWith(after)
  );
}

/** An origin in the form that browsers send; undefined where the text is none, or is more than one. */
function serialized(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || url.host === "") return undefined;
  return web.test(url.href) ? url.origin : `${url.protocol}//${url.host}`;
}
