/** A word for one server in any of its forms -> its name, and what the proxy would find there now. */
import { isInside } from "../../routes/name-rights.ts";
import { decide } from "../../routes/decide.ts";
import { type Turn, turnOf } from "../../routes/turn.ts";
import { hostsOf, type Nameable, servicesNamed, unquoted, wordIn } from "../../routes/named.ts";
import { remoteOf } from "../../routes/remote-report.ts";
import type { Service } from "../../routes/service.ts";
import { doubtOf, lastLinesOf, stateCause, stateSentence } from "../../routes/state-sentence.ts";
import type { Supervised } from "../../routes/supervised.ts";
import { routeTable } from "../../routes/table.ts";
import { readTarget, type Target } from "../../routes/target.ts";
import { baseOf } from "../../manifest/project-name.ts";
import { listed } from "../../text/list.ts";
import { printable } from "../../text/printable.ts";
import { Failure } from "./failure.ts";
import { find, type Found } from "./find.ts";
import { hiddenServer } from "./hidden-server.ts";
import { tellLastLines } from "./last-lines.ts";
import { folderIn, projectHere, servicesMeant } from "./lookup.ts";
import { looker, type Sight, withCheckouts } from "./look.ts";
import { type Settings, UsageError } from "./settings.ts";
import type { World } from "./world.ts";

export type NamedTarget = Extract<Target, { kind: "name" }>;

/** A place that a URL can lead to: a name, or the proxy itself. */
export type WantedTarget = Exclude<Target, { kind: "mistake" }>;

/** A service, whether it can answer or not. */
export type Present =
  /** A server listens. `supervised`: the project's service that it is. */
  | { kind: "server"; service: Service; supervised: Supervised | undefined }
  /** A service of a project that cannot answer now. */
  | { kind: "absent"; supervised: Supervised; turn: Turn };

export type Reached = Present | Exclude<Found, { kind: "found" }>;

/** The proxy's own decision. `name` is lower case, without its domain. */
export function reach(name: string, sight: Sight): Reached {
  const { supervised, tlds } = sight;
  const table = routeTable(sight.services, { supervised, tlds, ...sight.routing });
  const asked = { host: `${name}.localhost`, port: undefined, mode: "direct" } as const;
  const decision = decide(asked, table, []);
  if (decision.kind === "absent") return decision;
  if (decision.kind === "proxy") {
    return { kind: "server", service: decision.service, supervised: decision.supervised };
  }
  const { unanswered } = decision.kind === "unknown" ? decision : {};
  const found = find(name, {
    ...sight,
    services: table.services,
    ...(unanswered === undefined ? {} : { unanswered }),
  });
  if (found.kind !== "found") return found;
  return { kind: "server", service: found.service, supervised: undefined };
}

type Named = Nameable & { its: Supervised };

function namedIn({ supervised }: Sight): Named[] {
  return supervised.map((its) => {
    const { id, service, instance, project, directory, routeName, domain } = its;
    const hosts = hostsOf([routeName, instance?.routeName], domain);
    return { id, service, of: instance?.of, project, directory, hosts, its };
  });
}

export type ReachOptions = { sight: Sight; world: World };

/**
 * Where a word leads: an address as it is written; of a plain name, the service of the project here, then the server
 * with that NAME, then a service of another project. @throws UsageError for what is no name, or an Error for a person.
 */
export async function targetOf(
  text: string,
  { sight, world }: ReachOptions,
): Promise<WantedTarget> {
  const rows = namedIn(sight);
  const folders = new Set(rows.map(({ directory }) => directory));
  if ((await folderIn(text, { folders, world })) !== undefined) {
    return await rowTarget(text, "", { rows, world, sight });
  }
  const { word, isAddress } = wordIn(text);
  const rest = isAddress ? "" : text.slice(word.length);
  if (!isAddress && /^[^:]+:[^:]/.test(word))
    return await rowTarget(word, rest, { rows, world, sight });
  const target = readTarget(text, sight.tlds);
  if (target.kind === "mistake") throw new UsageError([target.what]);
  if (target.kind === "own") return target;
  const reached = reach(target.name, sight);
  if (isAddress) {
    const found =
      reached.kind === "unknown" ? await servicesMeant(word, { rows, world }) : undefined;
    if (found?.kind === "declared") throw new Failure("not_up", found.why);
    return target;
  }
  const directory = (await projectHere(folders, world)) ?? world.cwd;
  const here = rows.filter((row) => row.directory === directory);
  const own = servicesNamed(word, { rows: here, directory });
  if (own.kind === "rows") return withName(target, oneOf(word, own.rows, sight));
  const isExact = hasName(target.name, reached);
  // A person may run a service of the project by hand, in its folder.
  if (isExact && reached.kind === "server" && isInside(reached.service.cwd ?? "", directory)) {
    return target;
  }
  const found = await servicesMeant(word, { rows, world });
  if (found.kind === "declared") {
    const other = isExact ? `; ${target.name}.localhost is another server` : "";
    throw new Failure("not_up", `${found.why}${other}`);
  }
  if (isExact) return target;
  if (found.kind === "rows") return withName(target, oneOf(word, found.rows, sight));
  if (found.several) throw new Failure("ambiguous", found.why);
  return target;
}

/** Whether something has the name itself, and not only an ending of it. */
function hasName(name: string, reached: Reached): boolean {
  if (reached.kind === "unknown") return false;
  if (reached.kind !== "absent") return reached.service.name.toLowerCase() === name;
  const { routeName, instance } = reached.supervised;
  return routeName === name || instance?.routeName === name;
}

type RowOptions = ReachOptions & { rows: readonly Named[] };

/** A word that can only be a service of a project, or a whole one. */
async function rowTarget(
  word: string,
  rest: string,
  { rows, world, sight }: RowOptions,
): Promise<NamedTarget> {
  const found = await servicesMeant(word, { rows, world });
  if (found.kind === "declared") throw new Failure("not_up", found.why);
  if (found.kind === "none")
    throw new Failure(found.several ? "ambiguous" : "not_found", found.why);
  const name = oneOf(word, found.rows, sight);
  const target = readTarget(`${name}.localhost${rest.replace(/^:\d+/, "")}`, sight.tlds);
  if (target.kind !== "name") throw new Error(`${unquoted(name)} is no name`);
  return target;
}

function withName(target: NamedTarget, name: string): NamedTarget {
  return { ...target, name };
}

/** Services that no name leads to, such as a database: it has a port at the most. */
export class NoAddress extends Failure {
  readonly services: readonly Supervised[];

  constructor(message: string, services: readonly Supervised[]) {
    super("unsupported", message);
    this.services = services;
  }
}

/** The one name that these lead to. @throws an Error for a person, where there is none, or several. */
function oneOf(word: string, rows: readonly Named[], { tlds }: Sight): string {
  const all = rows.map(({ its }) => its);
  const names = new Set(all.flatMap((its) => its.instance?.routeName ?? its.routeName ?? []));
  const [first, ...others] = names;
  if (first !== undefined && others.length === 0) {
    // One of several instances has a name of its own.
    return all.length === 1 ? all[0]!.routeName! : first;
  }
  const base = baseOf(all[0]!.domain, tlds);
  if (names.has(base)) return base;
  const own = all.filter((its) => its.routeName !== undefined);
  if (own.length > 0) {
    const ids = listed(
      own.map(({ id }) => id),
      { conjunction: "or", most: 12 },
    );
    throw new Failure("ambiguous", `${unquoted(word)} has several addresses: name ${ids}`);
  }
  const states = listed(
    all.map((its) => stateCause(its)),
    { most: 3 },
  );
  const types = [...new Set(all.map(({ type }) => type))];
  const what = `${states}; a ${listed(types, { conjunction: "or" })} has no address`;
  const ported = all.length === 1 && all[0]!.port !== undefined;
  throw new NoAddress(ported ? `${what}; to see its port: localhostess port ${word}` : what, all);
}

/** Where a word leads, and what runs: a name of another machine is waited for, as a request for it would wait. */
export async function seenTarget(
  text: string,
  { settings, world }: { settings: Settings; world: World },
): Promise<{ sight: Sight; target: WantedTarget }> {
  const looks = looker(settings, { world });
  const look = async (wanted?: { name: string }) => withCheckouts(await looks(wanted));
  const sight = await look();
  const target = await targetOf(text, { sight, world });
  if (target.kind !== "name" || remoteOf(target.name, sight.remotes ?? []) === undefined) {
    return { sight, target };
  }
  const isKnown = reach(target.name, sight).kind !== "unknown";
  return { sight: isKnown ? sight : await look({ name: target.name }), target };
}

export type LookedUp = { reached: Present; sight: Sight; target: NamedTarget };

/** The first step of the verbs with a `<name>`. @throws UsageError, or an Error for a person. */
export async function lookUp(
  text: string,
  { settings, world }: { settings: Settings; world: World },
): Promise<LookedUp> {
  const { sight, target } = await seenTarget(text, { settings, world });
  if (target.kind === "own") throw new UsageError(["localhost is the proxy itself, not a server"]);
  const reached = reach(target.name, sight);
  const isLost = reached.kind === "unknown" && reached.unanswered === undefined;
  if (isLost && reached.meant?.fault.kind !== "bad name") {
    const hidden = await hiddenServer(target.name, { sight, settings });
    const why = `no server is named ${target.name}`;
    if (hidden !== undefined) {
      throw new Failure("not_found", `${why}; ${hidden.detail}; ${hidden.fix}`);
    }
  }
  return { reached: present(reached), sight, target };
}

/** @throws an Error for a person, where no service has the name. */
export function present(reached: Reached): Present {
  if (reached.kind === "unroutable" || reached.kind === "unknown") {
    throw new Failure("not_found", reached.why);
  }
  return reached;
}

/** Tells a person the proxy's own sentence, with the last lines of the service. */
export function tellAbsent(its: Supervised, { err, json }: Pick<World, "err" | "json">): void {
  // A command helps one that is down; any other is waited for.
  if (json !== undefined) json.code = turnOf(its) === "down" ? "not_up" : "not_ready";
  err.write(`localhostess: ${printable(stateSentence(its), 20_000)}\n`);
  tellLastLines(its.id, { lines: lastLinesOf(its), world: { err } });
}

/** Tells of a service that cannot answer yet, and will when it is asked. */
export function tellComing(reached: Present, world: Pick<World, "err">): void {
  const { err } = world;
  if (reached.kind === "absent")
    err.write(`${err.colors.dim(stateSentence(reached.supervised))}\n`);
  else tellDoubt(reached, world);
}

/** Tells of a service that answers, but not on the port that it was given, or that goes on without its folder. */
export function tellDoubt(reached: Present, { err }: Pick<World, "err">): void {
  if (reached.kind !== "server" || reached.supervised === undefined) return;
  const doubt = doubtOf(reached.supervised);
  if (doubt !== undefined) err.write(`${err.colors.yellow(`! ${doubt}`)}\n`);
}
