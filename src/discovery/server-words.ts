/** The words of a command line -> the kind of server that it is, and the word that tells it from others. Pure. */
import { labelFrom } from "../manifest/project-name.ts";
import { basename } from "node:path";
import type { CommandWords } from "./command-words.ts";
import { storeAt, storeOf } from "./stores.ts";

/**
 * `main`: what a person means by the project's name. `side`: a tool beside it, such as Storybook. `data`: a store that
 * speaks a protocol of its own. `unknown`: whatever its folder makes of it.
 */
export type ServerKind = "main" | "side" | "data" | "unknown";

export type ServerWord = {
  kind: ServerKind;
  /** Tells it from others of its folder over restarts: its file, or else its program. */
  id: string;
  /** Words for its name, the best first; without the one of its script. */
  words: readonly string[];
  /** Whether it is known, or runs a file of the person's own: then it may have the system choose its port. */
  isServer: boolean;
  /** How a store is reached, for a person. */
  protocol: string | undefined;
};

/** Servers of pages that people see in a browser. */
const webTools = new Set([
  ...[
    "vite",
    "next",
    "next-server",
    "nuxt",
    "nuxi",
    "astro",
    "remix",
    "@remix-run/dev",
    "remix-serve",
  ],
  ...["@react-router/dev", "react-router", "svelte-kit", "gatsby", "ng", "@angular/cli", "ember"],
  ...["vue-cli-service", "webpack", "webpack-dev-server", "webpack-cli", "parcel", "snowpack"],
  ...["react-scripts", "craco", "rsbuild", "@rsbuild/core", "rspack", "farm", "qwik", "vinxi"],
  ...["solid-start", "eleventy", "@11ty/eleventy", "hexo", "jekyll", "hugo", "zola", "gridsome"],
  ...["expo", "metro", "react-native", "wrangler", "workerd", "netlify", "vercel", "serve"],
  ...["http-server", "live-server", "browser-sync", "trunk", "dx", "umi", "max", "modern", "fresh"],
  ...[
    "rails",
    "puma",
    "unicorn",
    "thin",
    "falcon",
    "passenger",
    "rackup",
    "middleman",
    "bridgetown",
  ],
  ...["django", "django-admin", "artisan", "symfony", "streamlit", "gradio", "reflex", "chainlit"],
  ...[
    "wsdl",
    "esbuild",
    "tanstack-start",
    "waku",
    "analog",
    "docusaurus-start",
    "sirv",
    "sirv-cli",
  ],
]);

/** Servers that other programs ask. */
const apiTools = new Set([
  ...[
    "uvicorn",
    "gunicorn",
    "hypercorn",
    "daphne",
    "granian",
    "fastapi",
    "flask",
    "litestar",
    "sanic",
  ],
  ...["waitress-serve", "uwsgi", "json-server", "nest", "@nestjs/cli", "strapi", "@strapi/strapi"],
  ...["functions-framework", "func", "sam", "serverless", "chalice", "air", "encore", "directus"],
]);

/** Tools beside a project's own server, by what people call them. */
const sideTools = new Map<string, string>(
  Object.entries({
    storybook: "storybook",
    "start-storybook": "storybook",
    sb: "storybook",
    ladle: "ladle",
    "@ladle/react": "ladle",
    histoire: "histoire",
    "react-cosmos": "cosmos",
    "react-email": "email",
    email: "email",
    maildev: "mail",
    mailpit: "mail",
    MailHog: "mail",
    mailhog: "mail",
    mailcatcher: "mail",
    smtp4dev: "mail",
    prisma: "studio",
    "drizzle-kit": "studio",
    "drizzle-studio": "studio",
    vitepress: "docs",
    vuepress: "docs",
    docusaurus: "docs",
    "@docusaurus/core": "docs",
    mkdocs: "docs",
    "sphinx-autobuild": "docs",
    mintlify: "docs",
    mint: "docs",
    typedoc: "docs",
    mdbook: "docs",
    yard: "docs",
    pdoc: "docs",
    jupyter: "jupyter",
    "jupyter-lab": "jupyter",
    "jupyter-notebook": "jupyter",
    jupyterlab: "jupyter",
    notebook: "jupyter",
    marimo: "marimo",
    tensorboard: "tensorboard",
    mlflow: "mlflow",
    flower: "flower",
    inngest: "inngest",
    "inngest-cli": "inngest",
    "trigger.dev": "trigger",
    "@graphql-codegen/cli": "graphql",
    firebase: "firebase",
    "firebase-tools": "firebase",
    localstack: "localstack",
    // Stores that have pages, or speak HTTP themselves.
    cockroach: "cockroach",
    rethinkdb: "rethinkdb",
    redpanda: "redpanda",
    etcd: "etcd",
    minio: "minio",
    meilisearch: "meilisearch",
    "typesense-server": "typesense",
    qdrant: "qdrant",
    prometheus: "prometheus",
    grafana: "grafana",
    jaeger: "jaeger",
    "jaeger-all-in-one": "jaeger",
    temporal: "temporal",
    "webpack-bundle-analyzer": "bundle",
    "vite-bundle-visualizer": "bundle",
    pgadmin4: "pgadmin",
    pgweb: "pgweb",
    adminer: "adminer",
  }),
);

/** Modules of Python that serve files. */
const pythonServers = new Set(["http", "SimpleHTTPServer"]);

/** Names of files that say nothing. */
const plainFile =
  /^(?:index|main|server|serve|app|start|dev|run|cli|mod|program|entry|www|bin|init|__main__|wsgi|asgi|config|boot|bootstrap|standalone|handler)$/i;
/** Folders of code, which say nothing either. */
const plainFolder =
  /^(?:src|lib|app|bin|dist|build|out|output|target|debug|release|cmd|scripts?|tools?|\.|\.\.|\.next|\.output|\.svelte-kit|tmp|node_modules|public)$/i;

/** A server of which only the port says what it is. */
export function serverAt(port: number, server: ServerWord): ServerWord {
  const store = server.kind === "unknown" ? storeAt(port) : undefined;
  if (store === undefined) return server;
  const { word, protocol } = store;
  return { ...server, kind: "data", words: [word, ...server.words], protocol };
}

export function serverWord(its: CommandWords): ServerWord {
  const { tool, program, script, own } = its;
  const named = tool ?? "";
  const store = storeOf(its);
  const plain = { kind: "unknown", protocol: undefined, isServer: true } as const;
  if (store !== undefined) {
    const { word, protocol } = store;
    return { kind: "data", id: word, words: [word], protocol, isServer: true };
  }
  const side = sideTools.get(named) ?? (own ? undefined : sideTools.get(program));
  if (side !== undefined) return { ...plain, kind: "side", id: named || program, words: [side] };
  if (webTools.has(named) || (program === "php" && its.command.includes(" -S "))) {
    const id = named === "next-server" ? "next" : named || program;
    return { ...plain, kind: "main", id, words: ["web", wordOf(id)] };
  }
  if (apiTools.has(named))
    return { ...plain, id: named, words: [...appWords(its), "api", wordOf(named)] };
  if (program === "python" && pythonServers.has(named))
    return { ...plain, id: "http.server", words: ["files"] };
  if (script !== undefined) return { ...plain, id: script, words: fileWords(script) };
  if (own) return { ...plain, id: program, words: fileWords(its.paths[0]!) };
  const word = wordOf(named || program);
  // Something that somebody has installed, or that is not a file at all.
  return { ...plain, id: named || program, words: [word], isServer: tool === undefined };
}

function wordOf(tool: string): string {
  return labelFrom(basename(tool)) ?? "server";
}

/** `api` of `uvicorn api:app`, and nothing of `main:app`. */
function appWords({ rest }: CommandWords): string[] {
  const app = rest.find((word) => /^[\w./]+:\w+/.test(word) && !/^[\d.]+:/.test(word));
  return app === undefined ? [] : fileWords(`${app.split(":")[0]!.replaceAll(".", "/")}.py`);
}

/** The nearest part of a path that says something: `api` of `src/api/index.ts`. */
function fileWords(path: string): string[] {
  const parts = path
    .replace(/\.[^./]+$/, "")
    .split("/")
    .filter((part) => part !== "");
  const file = parts.pop() ?? "";
  const folder = parts.reverse().find((part) => !plainFolder.test(part));
  const told = plainFile.test(file) ? folder : file;
  // A folder of `server/index.js` is named for what is in it.
  const word = told === undefined && /^(?:server)$/i.test(file) ? undefined : told;
  const label =
    word === undefined
      ? undefined
      : labelFrom(word.replace(/[-_.]?(?:server|service|main)$/i, "") || word);
  return label === undefined ? [] : [label];
}
