/** A request, what it says of the page that makes it, and the settings of its name -> whether it passes. Pure. */
import { isAllowedBy } from "../../manifest/allowed-origin.ts";
import type { NameSettings } from "../../manifest/name-settings.ts";
import { isUnder } from "../../routes/name-rights.ts";
import type { Denied, DenialKind } from "../../routes/denial.ts";
import { classifyHost } from "../../routes/host.ts";
import { baseOf } from "../../manifest/project-name.ts";
import { type Chosen, plainName } from "../../routes/origins.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { type RequestFraming, Site } from "../../wire/framing.ts";
import {
  type Asker,
  isOurs,
  type PageOrigin,
  pageOriginOf,
  readPageOrigin,
  type Surroundings,
} from "./asker.ts";

/** Why a request does not pass. */
export type Denial = Pick<Denied, "kind" | "origin" | "listable" | "strict" | "method">;

export type Verdict = "passes" | Denial;

/** Whether the request passes whatever its fields say. Most do, and no text of them is made. */
export function passesUnread(
  { site, origin, upgrade, head }: RequestFraming,
  { guard }: NameSettings,
  isGet: boolean,
): boolean {
  if (guard === "off" || site === Site.near) return true;
  if (site === Site.other) return false;
  // A program, or a browser that says nothing more at an insecure URL.
  return !origin || (!upgrade && (isGet || head));
}

export type GuardFacts = Surroundings & {
  method: string;
  /** Without its query. */
  path: string;
  upgrade: boolean;
  site: number;
  asker: Asker;
  settings: NameSettings;
  /** The service's own name, without its domain. */
  name: string;
  supervised: Supervised | undefined;
  /** Set where a plain name shows a worktree, whose service it is. */
  chosen?: Chosen | undefined;
};

/** The types of a form in the HTML Standard, but for text/plain, which scripts send rather than forms. */
export const formTypes = /^(?:application\/x-www-form-urlencoded|multipart\/form-data)\s*(?:;|$)/i;

/** RFC 9110 section 9.2.1. */
const safeMethods = ["GET", "HEAD", "OPTIONS", "TRACE"];

export function judge(facts: GuardFacts): Verdict {
  const { asker, settings, site, upgrade, path } = facts;
  if (settings.guard === "off" || site === Site.near) return "passes";
  const isPreflight = facts.method === "OPTIONS" && asker.wanted !== undefined;
  // A preflight is judged as the request that it asks for.
  const method = isPreflight ? asker.wanted! : facts.method;
  const navigates = asker.mode === "navigate" && (asker.dest ?? "document") === "document";
  if (site === Site.other) {
    if (navigates && !upgrade && (method === "GET" || method === "HEAD")) return "passes";
  } else {
    // Browsers of today say nothing of a request to `http://api/`, and send Origin with what may change something.
    if (asker.origins.length === 0) return "passes";
    if (!upgrade && safeMethods.includes(method)) return "passes";
  }
  const said = asker.origins.length > 0 ? asker.origins : asker.referers;
  const pages = said.map(asker.origins.length > 0 ? readPageOrigin : pageOriginOf);
  const passes =
    pages.length > 0 && pages.every((page) => page !== undefined && mayAsk(page, facts));
  if (passes) return "passes";
  const sendsForm = site === Site.unsaid ? formTypes.test(asker.contentType ?? "") : navigates;
  const isForm = method === "POST" && !upgrade && !isPreflight && sendsForm;
  if (isForm && settings.allowPosts.includes(path)) return "passes";
  const page = pages.find((its) => its === undefined || !mayAsk(its, facts));
  return {
    kind: kindOf({ upgrade, isPreflight, isForm, asker }),
    method,
    origin: page?.origin ?? (asker.origins.length > 0 ? "null" : undefined),
    listable: page !== undefined,
    strict: pages.length > 0 && pages.every((its) => its !== undefined && isOurs(its, facts)),
  };
}

/** Whether a page may make any request. */
function mayAsk(page: PageOrigin, facts: GuardFacts): boolean {
  const { settings } = facts;
  if (settings.allowOrigins.some((allowed) => isAllowedBy(allowed, page.origin))) return true;
  if (!isOurs(page, facts)) return false;
  return settings.guard !== "strict" || isOfSameProject(page, facts);
}

/** Whether a page of ours has a name of the service itself, or of its project. */
function isOfSameProject({ host }: PageOrigin, facts: GuardFacts): boolean {
  const { table, asked, name: own } = facts;
  if (host === asked) return true;
  const named = classifyHost(host, table.tlds);
  if (named.kind !== "name") return false;
  const { name } = named;
  if (isOfShown(name, facts)) return true;
  // A server that a person runs by hand under a project's domain is its, too.
  const supervised = facts.supervised ?? table.supervised(own);
  const other = table.supervised(name);
  if (supervised === undefined) {
    return isUnder(name, own) && other === undefined && table.find(name)?.name === own;
  }
  const { domain, directory } = supervised;
  if (!isUnder(name, baseOf(domain, table.tlds)) && other?.directory !== directory) return false;
  // Another project may have a domain under this one's.
  return other === undefined || other.directory === directory;
}

/** Whether a page's plain name is of the project of which this one's shows a worktree: it has the same origin. */
function isOfShown(name: string, { table, chosen, supervised }: GuardFacts): boolean {
  if (chosen === undefined) return false;
  const { origin, label } = chosen;
  const base = supervised && baseOf(supervised.domain, table.tlds);
  const plain = base === undefined ? origin.name : (plainName(base, label) ?? base);
  return isUnder(name, plain) && table.origins?.find(name)?.repository === origin.repository;
}

const frames = ["iframe", "frame", "fencedframe", "embed", "object"];

function kindOf(its: {
  upgrade: boolean;
  isPreflight: boolean;
  isForm: boolean;
  asker: Asker;
}): DenialKind {
  if (its.upgrade) return "websocket";
  if (its.isPreflight) return "preflight";
  if (frames.includes(its.asker.dest ?? "")) return "frame";
  return its.isForm ? "form" : "request";
}
