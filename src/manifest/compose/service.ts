/** A service of a compose file -> the keys of a container here, with a note for all that has no counterpart. Pure. */
import { readSize } from "../../text/size.ts";
import { splitWords } from "../../text/split-words.ts";
import { stopSignals } from "../types/own.ts";
import { buildOf, readBuild } from "./build.ts";
import { type Context, isAbsent, itemsOf, type Reader, type ServiceFacts } from "./context.ts";
import { dependency } from "./dependency.ts";
import { durationText, goDuration } from "./durations.ts";
import { environment } from "./environment.ts";
import { readFiles } from "./files.ts";
import { readHealthcheck } from "./healthcheck.ts";
import { composeParts, filledNow, variablesIn } from "./interpolate.ts";
import { entryOf, joinedPath, scalarText } from "./load.ts";
import { asMapping } from "./merge.ts";
import { exposedPort } from "./ports.ts";
import { readPorts } from "./publish.ts";
import { refusalOf, volumeOf } from "./volumes.ts";
import { wordsOf } from "./words.ts";
import { inlineText, WrittenService } from "./written.ts";
import type { Entry, Mapping, Node, Scalar } from "./yaml.ts";

/** Keys that mean nothing for one who works on the project at a terminal of ours. */
const silent = new Set(["tty", "stdin_open", "attach"]);

export function containerOf(own: Mapping, facts: ServiceFacts): WrittenService {
  const out = new WrittenService();
  const none = (key: string, { at, node }: Entry, why?: string): void => {
    out.note(at, `${key}: ${inlineText(node)}${why === undefined ? "" : ` (${why})`}`);
  };
  const text = (node: Node | undefined): string | undefined => {
    const its = scalarText(node);
    if (its === undefined) return undefined;
    const parts = composeParts(its);
    const filled = filledNow(parts, facts.variables);
    if (variablesIn(parts).length > 0) {
      out.note(
        node!,
        `${its} is ${filled === "" ? "empty" : filled} now, which is what is written here`,
      );
    }
    return filled.includes("\0") ? undefined : filled;
  };
  const context: Context = { own, out, facts, text, none };
  out.set("type", "container");
  for (const [key, entry] of own.entries) {
    if (key.startsWith("x-") || silent.has(key) || isAbsent(entry.node)) continue;
    const reader = Object.hasOwn(readers, key) ? readers[key] : undefined;
    if (reader === undefined) none(key, entry);
    else reader(entry, context);
  }
  if (facts.ended.has(facts.name) && out.get("restart") === undefined) out.set("restart", "no");
  return out;
}

const readers: Readonly<Record<string, Reader>> = {
  image(entry, { own, out, text, none }) {
    const build = own.entries.get("build");
    const image = text(entry.node);
    if (build !== undefined && buildOf(build) !== undefined) {
      none("image", entry, "the built image has a name of ours");
    } else if (image !== undefined && image.trim() !== "") out.set("image", image);
  },
  build: readBuild,
  command(entry, context) {
    const words = wordsOf(entry, context);
    if (words === undefined) return;
    if (words === "") context.none("command", entry, "empty is the image's own command here");
    else context.out.set("command", words);
  },
  entrypoint(entry, { out, text, none }) {
    const { node } = entry;
    if (node.kind === "list") {
      const words = node.items.map((item) => text(item) ?? "");
      if (words.length === 0) none("entrypoint", entry, "empty is the image's own here");
      else out.set("entrypoint", words);
      return;
    }
    const split = splitWords(text(node) ?? "");
    if (split.kind === "bad" || split.words.length === 0) return none("entrypoint", entry);
    out.set("entrypoint", split.words);
  },
  user: textKey("user"),
  working_dir(entry, { out, text, none }) {
    const path = text(entry.node) ?? "";
    if (path.startsWith("/")) out.set("workdir", path);
    else none("working_dir", entry, "expected a path inside");
  },
  ports: readPorts,
  expose(entry, { own, out }) {
    const ports = own.entries.get("ports");
    if (ports !== undefined && !isAbsent(ports.node)) return;
    const [first] = itemsOf(entry.node).flatMap((item) => exposedPort(item) ?? []);
    if (first !== undefined) out.set("port", first);
  },
  volumes(entry, { out, facts, text, none }) {
    for (const item of itemsOf(entry.node)) {
      const its = volumeOf(item, { service: facts.name, text });
      const why = its.kind === "volume" ? refusalOf(its.text, out) : its.why;
      if (why !== undefined) none("volumes", { at: item, node: item }, why);
    }
  },
  secrets: (entry, context) => readFiles("secrets", entry, context),
  configs: (entry, context) => readFiles("configs", entry, context),
  environment,
  env_file(entry, { out, facts, text, none }) {
    const paths: string[] = [];
    for (const item of itemsOf(entry.node)) {
      const written = item.kind === "mapping" ? item.entries.get("path")?.node : item;
      const path = text(written);
      if (path === undefined) {
        none("env_file", { at: item, node: item });
        continue;
      }
      const its = joinedPath(item.file.folder, path);
      const isOptional = scalarText(entryOf(item, "required")?.node) === "false";
      if (facts.exists(its)) paths.push(its);
      else
        none("env_file", { at: item, node: item }, isOptional ? "there is none" : "no such file");
    }
    if (paths.length > 0) out.set("env_file", paths.length === 1 ? paths[0] : paths);
  },
  depends_on(entry, context) {
    const { node } = entry;
    const mapping = asMapping(node);
    if (mapping.kind !== "mapping") return context.none("depends_on", entry);
    for (const [name, its] of mapping.entries) dependency(name, its, context);
  },
  links(entry, context) {
    context.none("links", entry, "the service's own name leads to it");
    for (const item of itemsOf(entry.node)) {
      const name = scalarText(item)?.split(":")[0] ?? "";
      const empty: Scalar = { ...item, kind: "scalar", value: null, text: "", tag: undefined };
      if (context.facts.names.has(name)) dependency(name, { at: item, node: empty }, context);
    }
  },
  healthcheck: readHealthcheck,
  restart(entry, { out, text, none }) {
    const [word = "", count] = (text(entry.node) ?? "").split(":");
    const ours = {
      no: "no",
      always: "always",
      "unless-stopped": "always",
      "on-failure": "on-failure",
    };
    const its = Object.hasOwn(ours, word) ? ours[word as keyof typeof ours] : undefined;
    if (its === undefined) return none("restart", entry);
    if (its !== "on-failure") out.set("restart", its);
    if (count !== undefined) none("restart", entry, "there is no such number of restarts");
  },
  profiles(entry, { out, text, none }) {
    const names = itemsOf(entry.node).map((item) => text(item) ?? "");
    if (!names.every((name) => /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name))) {
      return none("profiles", entry);
    }
    if (names.length > 0) out.set("profiles", [...new Set(names)]);
  },
  stop_signal(entry, { out, text, none }) {
    const name = `SIG${(text(entry.node) ?? "").toUpperCase().replace(/^SIG/, "")}`;
    if ((stopSignals as readonly string[]).includes(name)) out.set("stop_signal", name);
    else none("stop_signal", entry);
  },
  stop_grace_period(entry, { out, text, none }) {
    const its = goDuration(text(entry.node) ?? "");
    if (its === undefined) none("stop_grace_period", entry);
    else out.set("stop_timeout", durationText(its));
  },
  mem_limit: (entry, context) => memory("mem_limit", entry, context),
  deploy(entry, context) {
    const { node } = entry;
    if (node.kind !== "mapping") return context.none("deploy", entry);
    for (const [key, its] of node.entries) {
      const limit =
        key === "resources" ? entryOf(entryOf(its.node, "limits")?.node, "memory") : undefined;
      if (limit !== undefined) memory("deploy.resources.limits.memory", limit, context);
      else if (!isAbsent(its.node)) context.none(`deploy.${key}`, its);
    }
  },
  pull_policy(entry, { out, text, none }) {
    const word = text(entry.node) ?? "";
    if (word === "always" || word === "never") out.set("pull", word);
    else if (word !== "missing" && word !== "if_not_present") none("pull_policy", entry);
  },
};

function textKey(ours: string): Reader {
  return (entry, { out, text, none }) => {
    const its = text(entry.node);
    if (its === undefined || its.trim() === "") none(ours, entry);
    else out.set(ours, its);
  };
}

function memory(key: string, entry: Entry, { out, text, none }: Context) {
  const size = readSize((text(entry.node) ?? "").trim());
  if (size === undefined || size < 1_024 * 1_024) none(key, entry);
  else out.set("limits", { memory: String(text(entry.node) ?? "").trim() });
}
