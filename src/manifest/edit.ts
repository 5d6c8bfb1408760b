/** The text of a locald.toml and a new service -> the text with it, in which every other line is what it was. Pure. */
import type { ServiceType } from "./types/own.ts";
import { type Document, readToml } from "./toml.ts";
import { tomlKey, tomlString } from "./write-toml.ts";

export type NewService = {
  name: string;
  /** Undefined: exec, the default. */
  type?: ServiceType | undefined;
  /** The keys that a file has of it, in their order there; undefined: none. */
  image?: string | undefined;
  path?: string | undefined;
  version?: number | string | undefined;
  command?: string | undefined;
  build?: string | undefined;
  port?: number | undefined;
  disabled?: boolean | undefined;
};

export type Edit =
  /** `line`: where the new service is. */
  | { kind: "edited"; text: string; line: number }
  /** The service exists already. */
  | { kind: "taken"; line: number }
  | { kind: "mistake"; why: string };

/** The service as a table of its own. */
export function serviceText({ name, ...its }: NewService): string {
  const pairs = Object.entries(declared(its)).map(([key, value]) => pair(key, value));
  return [`[services.${tomlKey(name)}]`, ...pairs, ""].join("\n");
}

export function withService(text: string, service: NewService): Edit {
  const before = readToml(text);
  if (before.kind === "bad") {
    return { kind: "mistake", why: `line ${before.place.line}: invalid TOML: ${before.why}` };
  }
  const { document } = before;
  const services = document.value.services ?? {};
  if (typeof services !== "object" || Array.isArray(services)) {
    return { kind: "mistake", why: "services is not a table" };
  }
  if (Object.hasOwn(services, service.name)) {
    return { kind: "taken", line: document.placeOf(["services", service.name]).line };
  }
  // Built from entries, so that names such as `__proto__` become keys.
  const intended = {
    ...document.value,
    services: Object.fromEntries([...Object.entries(services), [service.name, declared(service)]]),
  };
  const wanted = JSON.stringify(intended);
  for (const edited of edits(text, { service, document })) {
    const after = readToml(edited);
    if (after.kind === "done" && JSON.stringify(after.document.value) === wanted) {
      const { line } = after.document.placeOf(["services", service.name]);
      return { kind: "edited", text: edited, line };
    }
  }
  return {
    kind: "mistake",
    why: "its services are written in a form that cannot be extended automatically",
  };
}

/** The ways to write the service; one of them fits the form of the others. */
function* edits(
  text: string,
  { service, document }: { service: NewService; document: Document },
): Generator<string> {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = (its: string): string => its.replaceAll("\n", newline);
  const ended = text === "" || text.endsWith("\n") ? text : text + newline;
  const gap = ended === "" || /\n\r?\n$/.test(ended) ? "" : newline;
  yield ended + gap + lines(serviceText(service));

  const key = tomlKey(service.name);
  const pairs = Object.entries(declared(service)).map(([its, value]) => pair(its, value));
  const start = offsetOf(text, document.placeOf(["services"]).line);
  // `services = { web = "bun dev" }`: before the closing brace, wherever that is on its line.
  const lineEnd = text.indexOf("\n", start);
  const line = text.slice(start, lineEnd === -1 ? undefined : lineEnd);
  for (const { index } of [...line.matchAll(/\s*\}/g)].slice(0, 200)) {
    for (const comma of [", ", " "]) {
      const its = `${comma}${key} = { ${pairs.join(", ")} }`;
      yield text.slice(0, start + index) + its + text.slice(start + index);
    }
  }

  // `services.web = "bun dev"` before any table.
  const dotted = pairs.map((its) => `services.${key}.${its}\n`).join("");
  yield text.slice(0, start) + lines(dotted) + text.slice(start);
}

function declared({
  type,
  image,
  path,
  version,
  command,
  build,
  port,
  disabled,
}: Omit<NewService, "name">): Record<string, unknown> {
  const all = {
    type: type === "exec" ? undefined : type,
    ...{ image, path, version, command, build, port },
    disabled: disabled === true ? disabled : undefined,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function pair(key: string, value: unknown): string {
  return `${key} = ${typeof value === "string" ? tomlString(value) : String(value)}`;
}

function offsetOf(text: string, line: number): number {
  let offset = 0;
  for (let count = 1; count < line; count++) offset = text.indexOf("\n", offset) + 1;
  return offset;
}
