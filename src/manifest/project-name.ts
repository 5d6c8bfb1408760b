/** The names of a project and its services, and its domain -> the addresses they give, or why not. Pure. */
import type { ServiceType } from "./types/own.ts";
import { isNumeric } from "../text/numeric-label.ts";
import { didYouMeanText } from "../text/nearest.ts";
import { shown } from "../text/shown.ts";

/** RFC 1035 section 2.3.4; 255 octets on the wire are 253 letters. */
const longestLabel = 63;
const longestHost = 253;
/** The name of a folder, with room for a rotated log's ending: NAME_MAX is 255. Services have labels in front. */
const longestGiven = 180;

const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const word = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?$/;

/** A sentence; undefined where the name is valid. A worker has no address, so that its name need not be a label. */
export function serviceNameMistake(name: string): string | undefined {
  if (word.test(name) && name.length <= longestLabel) return undefined;
  return `a service name has only letters (a to z), digits, _ and inner hyphens, at most ${longestLabel} characters${asIn(name)}`;
}

/** A sentence; undefined where the text is a name that a server can have: lower case, without its domain. */
export function nameMistake(name: string): string | undefined {
  if (name.endsWith(".localhost")) {
    const rest = name.replace(/^https?:\/\//, "").slice(0, -".localhost".length);
    const meant = nameMistake(rest) === undefined ? didYouMeanText(rest) : "";
    return `a name is written without .localhost${meant}`;
  }
  const lower = name.toLowerCase();
  if (name.length <= longestHost && lower.split(".").every((part) => label.test(part))) {
    return name === lower ? undefined : `a name is in lower case${didYouMeanText(lower)}`;
  }
  const near = lower.split(".").map(labelFrom).filter(Boolean).join(".");
  const meant = near === "" ? "" : didYouMeanText(near);
  return `a name in an address has only letters, digits, inner hyphens and dots${meant}`;
}

/** A sentence; undefined where the name is valid in an address as it is. */
export function labelMistake(name: string): string | undefined {
  if (label.test(name.toLowerCase())) return undefined;
  return `a name in an address has only letters, digits and inner hyphens${asIn(name)}`;
}

/** A sentence; undefined where a valid name gives an address. */
export function addressMistake(name: string): string | undefined {
  return labelOf(name) === undefined ? "a name in an address has a letter or a digit" : undefined;
}

/** The name as a part of an address, in which `_` is a hyphen: `my_worker` is `my-worker`. */
export function labelOf(name: string): string | undefined {
  const lower = name.toLowerCase();
  return label.test(lower) ? lower : labelFrom(lower);
}

export function projectNameMistake(name: string): string | undefined {
  if (word.test(name) && name.length <= longestLabel) return undefined;
  return `a project name has only letters (a to z), digits, _ and inner hyphens, at most ${longestLabel} characters${asIn(name)}`;
}

/** A sentence; undefined where the name is one that a person may give a project: labels with dots between, if any. */
export function givenNameMistake(name: string): string | undefined {
  const parts = name.split(".");
  const wrong = parts.map((part) => projectNameMistake(part) ?? addressMistake(part));
  const [first] = wrong.filter((its) => its !== undefined);
  if (first === undefined) {
    if (name.length > longestGiven) return `a project name has at most ${longestGiven} characters`;
    if (name.toLowerCase() !== "localhost") return undefined;
    return "localhost is the proxy itself; choose another name";
  }
  if (parts.length === 1) return first;
  return "a project name is words of letters (a to z), digits, _ and inner hyphens, with dots between";
}

/** The nearest valid label; undefined where no character is left. */
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

/**
 * A project's name by its folder's. A name without a Latin letter or digit is written as browsers write it in an
 * address, so that two such folders have two names, and `http://проект.localhost` leads to the project.
 */
export function projectNameFrom(folder: string): string {
  const latin = labelFrom(folder);
  if (latin !== undefined && (/[a-z]/.test(latin) || !/\p{L}/u.test(folder))) return latin;
  const spaced = folder.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}\p{So}]+/gu, "-");
  const written = punycode(spaced.replace(/^-+|-+$/g, ""));
  return written ?? `project-${shortHash(folder)}`;
}

/** FNV-1a, 32 bits in hex: it tells names apart, and guards nothing. */
export function shortHash(text: string): string {
  let hash = 0x811c_9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/** Undefined where there is no such label: UTS #46 forbids a character, or it would be too long. */
export function punycode(text: string): string | undefined {
  const url = `http://${text}.localhost`;
  if (text === "" || !URL.canParse(url)) return undefined;
  const written = new URL(url).hostname.slice(0, -".localhost".length);
  return label.test(written) && written.length <= longestLabel ? written : undefined;
}

function asIn(name: string): string {
  const near = labelFrom(name);
  return near === undefined || near === name ? "" : `, such as "${near}"`;
}

export type Domain =
  /** `routeName` is the part before `.localhost`, or before a configured domain. */
  | { kind: "domain"; domain: string; routeName: string }
  /** `instead`: the domain that is served in its place, where names under its ending are not. */
  | { kind: "mistake"; why: string; instead?: string };

/** `tlds` are the domains besides `localhost` that names may end in. */
export function readDomain(text: string, tlds: readonly string[]): Domain {
  const mistake = (why: string): Domain => ({ kind: "mistake", why });
  const lower = text.toLowerCase().replace(/\.$/, "");
  if (lower === "localhost")
    return mistake("localhost is the proxy itself; put a name before it, such as shop.localhost");
  const ending = ["localhost", ...tlds]
    .filter((tld) => lower.endsWith(`.${tld}`))
    .sort((one, other) => other.length - one.length)[0];
  const routeName = ending === undefined ? lower : lower.slice(0, -ending.length - 1);
  const labels = routeName.split(".");
  if (labels.some((part) => part.length > longestLabel || !label.test(part))) {
    const near = labels.map(labelFrom).filter(Boolean).join(".");
    const help = near === "" || near === routeName ? "" : `, such as "${near}.localhost"`;
    return mistake(
      `${shown(text)} is not a valid domain: use letters, digits and inner hyphens${help}`,
    );
  }
  // A bare name is always served; a name with a dot must end in a domain that is served.
  if (ending === undefined && labels.length > 1) {
    const last = labels.at(-1)!;
    const instead = `${labels.slice(0, -1).join(".")}.localhost`;
    const why = `names under .${last} are not served, so that ${instead} is used; to serve them, set tlds = ["${last}"] in config.toml`;
    return { kind: "mistake", why, instead };
  }
  if (isNumeric(labels.at(-1)!)) {
    return mistake(`${shown(text)} ends in a number, which clients read as an IP address`);
  }
  const domain = `${routeName}.${ending ?? "localhost"}`;
  if (domain.length > longestHost) {
    return mistake(`a domain has at most ${longestHost} characters; this one has ${domain.length}`);
  }
  return { kind: "domain", domain, routeName };
}

/** A domain without its ending. */
export function baseOf(domain: string, tlds: readonly string[]): string {
  const endings = ["localhost", ...tlds].filter((its) => domain.endsWith(`.${its}`));
  const longest = Math.max(0, ...endings.map((its) => its.length + 1));
  return domain.slice(0, domain.length - longest);
}

type Within = {
  /** The project's. */
  name: string;
  routeName: string;
  type?: ServiceType;
};

/** The name before the ending; `web`, and the server named like its project, have the project's own. */
export function routeNameOf(service: string, { name, routeName, type = "exec" }: Within): string {
  const own = labelOf(service) ?? service.toLowerCase();
  // A process that need not listen does not take the address from the project's server.
  const isNamedLike = type === "exec" && own === labelOf(name);
  return own === "web" || isNamedLike ? routeName : `${own}.${routeName}`;
}
