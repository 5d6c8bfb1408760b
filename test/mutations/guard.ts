/** The guard against pages of other sites -> how each part of it could be lost. */
import type { Fault } from "./fault.ts";

const guard = "test/proxy/guard.test.ts";
const origins = "test/proxy/guard-origins.test.ts";
const roads = "test/proxy/guarded-roads.test.ts";

export const guarding: readonly Fault[] = [
  {
    name: "another site's page wakes a service",
    file: "src/proxy/client/serving.ts",
    find: "this.#guard(bytes, end, { target, name: decision.supervised.routeName! })",
    replace: "undefined",
    tests: [roads],
  },
  {
    name: "another site's page reaches a server",
    file: "src/proxy/client/serving.ts",
    find: "this.#guard(bytes, end, { target, name: decision.service.name })",
    replace: "undefined",
    tests: [roads],
  },
  {
    name: "WebSockets are not guarded where browsers send no Sec-Fetch",
    file: "src/proxy/request/guard.ts",
    find: "return !origin || (!upgrade && (isGet || head));",
    replace: "return !origin || isGet || head;",
    tests: [guard, origins],
  },
  {
    name: "another site's frame passes as a navigation",
    file: "src/proxy/request/guard.ts",
    find: 'const navigates = asker.mode === "navigate" && (asker.dest ?? "document") === "document";',
    replace: 'const navigates = asker.mode === "navigate";',
    tests: [guard],
  },
  {
    name: "a form of another site passes as a navigation",
    file: "src/proxy/request/guard.ts",
    find: 'if (navigates && !upgrade && (method === "GET" || method === "HEAD")) return "passes";',
    replace: 'if (navigates && !upgrade) return "passes";',
    tests: [guard],
  },
  {
    name: "one of several origins is enough",
    file: "src/proxy/request/guard.ts",
    find: "pages.length > 0 && pages.every((page) => page !== undefined && mayAsk(page, facts));",
    replace: "pages.some((page) => page !== undefined && mayAsk(page, facts));",
    tests: [origins],
  },
  {
    name: "a Referer of ours excuses another site's Origin",
    file: "src/proxy/request/guard.ts",
    find: "const said = asker.origins.length > 0 ? asker.origins : asker.referers;",
    replace: "const said = asker.referers.length > 0 ? asker.referers : asker.origins;",
    tests: [guard],
  },
  {
    name: "a preflight is judged as OPTIONS",
    file: "src/proxy/request/guard.ts",
    find: "const method = isPreflight ? asker.wanted! : facts.method;",
    replace: "const { method } = facts;",
    tests: [guard],
  },
  {
    name: "allow_posts lets scripts post",
    file: "src/proxy/request/guard.ts",
    find: 'const isForm = method === "POST" && !upgrade && !isPreflight && sendsForm;',
    replace: 'const isForm = method === "POST" && !upgrade && !isPreflight;',
    tests: [guard],
  },
  {
    name: 'guard = "strict" is "on"',
    file: "src/proxy/request/guard.ts",
    find: 'return settings.guard !== "strict" || isOfSameProject(page, facts);',
    replace: 'return settings.guard !== "strict" || page !== undefined;',
    tests: [guard],
  },
  {
    name: "a project inside another's domain is of that project",
    file: "src/proxy/request/guard.ts",
    find: "return other === undefined || other.directory === directory;",
    replace: "return true;",
    tests: [guard],
  },
  {
    name: "an Origin is read as a URL",
    file: "src/proxy/request/asker.ts",
    find: "return originForm.test(text) ? pageOriginOf(text) : undefined;",
    replace: "return pageOriginOf(text);",
    tests: [origins],
  },
  {
    name: "a bare name is ours, whoever answers for it",
    file: "src/proxy/request/asker.ts",
    find: '(proxied(name) || scheme === "https" || table.answersBare(name))',
    replace: 'scheme !== ""',
    tests: [origins, roads],
  },
  {
    name: "a suffix of ours without its dot is ours",
    file: "src/proxy/request/asker.ts",
    find: "host.endsWith(`.${tld}`)",
    replace: "host.endsWith(tld)",
    tests: [origins],
  },
  {
    name: "the last Sec-Fetch-Site counts",
    file: "src/wire/framing.ts",
    find: "if (site > this.site) this.site = site;",
    replace: "this.site = site;",
    tests: [origins],
  },
  {
    name: "an unknown Sec-Fetch-Site is near",
    file: "src/wire/framing.ts",
    find: "    if (equalsIgnoreCase(bytes, start, end, value)) return Site.near;\n  }\n  return Site.other;",
    replace:
      '    if (equalsIgnoreCase(bytes, start, end, value)) return Site.near;\n  }\n  return equalsIgnoreCase(bytes, start, end, "cross-site") ? Site.other : Site.near;',
    tests: [origins],
  },
  {
    name: "evilexample.com is under example.com",
    file: "src/manifest/allowed-origin.ts",
    find: "[allowed.slice(0, star), allowed.slice(star + 1)]",
    replace: "[allowed.slice(0, star), allowed.slice(star + 2)]",
    tests: ["test/manifest/name-settings.test.ts"],
  },
  {
    name: "a WebSocket inside CONNECT to a name under localhost passes unread",
    file: "src/proxy/tunnel/first-bytes.ts",
    find: 'return classifyHost(asked.host, asked.tlds).kind === "name" ? "upgrade" : "other";',
    replace:
      'const its = classifyHost(asked.host, asked.tlds);\n  return its.kind === "name" && its.domain !== "localhost" ? "upgrade" : "other";',
    tests: [roads],
  },
  {
    name: "a browser's tunnel passes unread",
    file: "src/proxy/client/serving.ts",
    find: 'if (settings.guard === "off" || !this.#shared.terminates()) return false;',
    replace: 'if (settings.guard !== "off" || !this.#shared.terminates()) return false;',
    tests: [roads],
  },
  {
    name: "a listed page does not wake what it may ask",
    file: "src/proxy/client/absences.ts",
    find: "    if (isListed(head, bytes, this.#current.destination!.settings.allowOrigins)) return false;\n",
    replace: "    if (isListed(head, bytes, [])) return false;\n",
    tests: ["test/e2e/guard.test.ts"],
  },
  {
    name: "a site with ever new origins fills the log",
    file: "src/proxy/request/denials.ts",
    find: "if (rows.told.size < mostTold) {",
    replace: "if (rows.told.size >= 0) {",
    tests: [roads],
  },
  {
    name: "refused requests keep a service awake",
    file: "src/proxy/request/recorder.ts",
    find: "    if (!denied.refused || entry.counter !== undefined) return;\n",
    replace: "    this.routed(entry, denied.name);\n    if (!denied.refused) return;\n",
    tests: [roads],
  },
  {
    name: "a branch lets other sites in unseen",
    file: "src/supervisor/project/code.ts",
    find: "    ...(its?.guard === undefined ? {} : { guard: its.guard }),\n",
    replace: "",
    tests: ["test/supervisor/unseen-change.test.ts"],
  },
  {
    name: "a project's word counts behind that of config.toml",
    file: "src/routes/table.ts",
    find: "        its?.settings,\n        configured?.byName.get(name),\n",
    replace: "        configured?.byName.get(name),\n        its?.settings,\n",
    tests: ["test/manifest/name-settings.test.ts"],
  },
];
