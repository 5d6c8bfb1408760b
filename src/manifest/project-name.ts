/** The names of a project and its services, and its domain -> the addresses they give, or why not. Pure. */

/** RFC 1035 section 2.3.4; 255 octets on the wire are 253 letters. */
const longestLabel = 63;
const longestHost = 253;

const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const word = /^[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?$/;
/** WHATWG URL: a host whose last label is one is an IPv4 address, or none. */
const numeric = /^(?:\d+|0x[0-9a-f]*)$/;

/** A sentence; undefined where a service may be called so. A worker has no address to spell. */
export function serviceNameMistake(name: string): string | undefined {
  if (word.test(name) && name.length <= longestLabel) return undefined;
  return `a service's name is made of letters, digits and inner hyphens, at most ${longestLabel}${asIn(name)}`;
}

/** The same for one that has an address. */
export function labelMistake(name: string): string | undefined {
  if (label.test(name.toLowerCase())) return undefined;
  return `in an address a name is made of letters, digits and inner hyphens${asIn(name)}`;
}

export function projectNameMistake(name: string): string | undefined {
  if (word.test(name) && name.length <= longestLabel) return undefined;
  return `a project's name is made of letters, digits and inner hyphens, at most ${longestLabel}${asIn(name)}`;
}

/** The nearest that can be a label; undefined where nothing is left. */
export function labelFrom(text: string): string | undefined {
  const near = text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, longestLabel)
    .replace(/^-+|-+$/g, "");
  return near === "" ? undefined : near;
}

function asIn(name: string): string {
  const near = labelFrom(name);
  return near === undefined || near === name ? "" : `, such as "${near}"`;
}

export type Domain =
  /** `routeName` is what stands before `.localhost`, or before a configured domain. */
  { kind: "domain"; domain: string; routeName: string } | { kind: "mistake"; why: string };

/** `tlds`: what names end in besides `localhost`. */
export function readDomain(text: string, tlds: readonly string[]): Domain {
  const mistake = (why: string): Domain => ({ kind: "mistake", why });
  const lower = text.toLowerCase().replace(/\.$/, "");
  if (lower === "localhost") return mistake("localhost is the proxy itself; a name goes before it");
  const ending = ["localhost", ...tlds]
    .filter((tld) => lower.endsWith(`.${tld}`))
    .sort((one, other) => other.length - one.length)[0];
  const routeName = ending === undefined ? lower : lower.slice(0, -ending.length - 1);
  const labels = routeName.split(".");
  if (labels.some((part) => part.length > longestLabel || !label.test(part))) {
    const near = labels.map(labelFrom).filter(Boolean).join(".");
    const help = near === "" || near === routeName ? "" : `, such as "${near}.localhost"`;
    return mistake(
      `${JSON.stringify(text)} is no domain: labels of letters, digits and inner hyphens${help}`,
    );
  }
  // A bare name is one that we serve; what has a dot has to end in something that we serve.
  if (ending === undefined && labels.length > 1) {
    const last = labels.at(-1)!;
    return mistake(
      `names do not end in .${last} here; did you mean "${labels.slice(0, -1).join(".")}.localhost"? Or tlds = ["${last}"] in config.toml`,
    );
  }
  if (numeric.test(labels.at(-1)!)) {
    return mistake(`${JSON.stringify(text)} is what clients read as an IP address`);
  }
  const domain = `${routeName}.${ending ?? "localhost"}`;
  if (domain.length > longestHost) {
    return mistake(`a domain has at most ${longestHost} characters, this one has ${domain.length}`);
  }
  return { kind: "domain", domain, routeName };
}

/** Before the ending; `web`, and the service named like its project, are the project itself. */
/** A domain without its ending: what names under it end in. */
export function baseOf(domain: string, tlds: readonly string[]): string {
  const endings = ["localhost", ...tlds].filter((its) => domain.endsWith(`.${its}`));
  const longest = Math.max(0, ...endings.map((its) => its.length + 1));
  return domain.slice(0, domain.length - longest);
}

export function routeNameOf(service: string, project: { name: string; routeName: string }): string {
  const lower = service.toLowerCase();
  if (lower === "web" || lower === project.name.toLowerCase()) return project.routeName;
  return `${lower}.${project.routeName}`;
}
