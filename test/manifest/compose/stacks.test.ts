/** Whole compose files, in the style of stacks that people run -> a locald.toml without errors. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { newManifest } from "../../../src/manifest/new-manifest.ts";
import { directory, read } from "../manifest.ts";
import { compose } from "./composed.ts";

const folder = join(import.meta.dir, "stacks");
const files = { ".env": "" };
const envFiles = new Map([[`${directory}/.env`, { kind: "text", text: "" } as const]]);

function stack(file: string) {
  const text = readFileSync(join(folder, file), "utf8");
  const its = compose(text, { files, dotenv: { POSTGRES_PASSWORD: "secret" } });
  if (its.kind === "mistakes") throw new Error(its.mistakes.join("\n"));
  const { services, comments, name } = its;
  const composed = { files: [file], services, comments };
  const toml = newManifest({ name: "shop", services: [], composed, notes: [] });
  const found = read(toml, { envFiles, home: "/home/ada" });
  if (found.kind === "mistakes") throw new Error(found.mistakes.join("\n"));
  const by = Object.fromEntries(found.project.services.map((spec) => [spec.name, spec]));
  const notes = toml
    .split("\n")
    .flatMap((line) => /^# compose\.yaml:(\d+: .*)/.exec(line)?.[1] ?? []);
  return { name, toml, by, notes };
}

test("each has an answer, keeps the secrets of .env out, and a line of a comment is a line of the file", () => {
  const all = readdirSync(folder);
  expect(all.length).toBeGreaterThan(4);
  for (const file of all) {
    const { toml, notes } = stack(file);
    expect(toml).not.toContain("secret@");
    const lines = readFileSync(join(folder, file), "utf8").split("\n");
    for (const note of notes) {
      const [, line, path] = /^(\d+): (\S+?):? /.exec(note)!;
      const text = lines[Number(line) - 1]!;
      const key = path!.split(".").at(-1)!;
      // Items of a list, and values with variables, are quoted without their key.
      const isItem = /^\s*-|[[{]/.test(text) || / is .* (?:now|here)/.test(note);
      expect([file, note, text.includes(key) || isItem]).toEqual([file, note, true]);
    }
  }
});

test("a site of Next.js with its database", () => {
  const { by, notes } = stack("next-postgres.yaml");
  expect(by.web).toMatchObject({
    type: "container",
    port: 3000,
    conditions: { db: "ready", migrate: "completed" },
    restart: "always",
    own: {
      inside: 3000,
      ports: [{ inside: 9229, outside: 9229 }],
      build: { dockerfile: "docker/dev.Dockerfile", target: "dev", args: { NODE_VERSION: "22" } },
    },
  });
  expect(by.web!.env.DATABASE_URL).toBe(
    "postgresql://${shell.POSTGRES_USER:-shop}:${env.POSTGRES_PASSWORD:-}@db:5432/${shell.POSTGRES_DB:-shop}?schema=public",
  );
  expect(by.migrate).toMatchObject({ restart: "no", conditions: { db: "ready" } });
  expect(by.db!.health).toMatchObject({
    ask: { kind: "command", command: "pg_isready -U ${POSTGRES_USER} -d ${POSTGRES_DB}" },
    ...{ interval: 5_000, timeout: 3_000, retries: 20, startPeriod: 10_000 },
  });
  expect(by.db!.startTimeout).toBe(110_000);
  expect(by.studio).toMatchObject({ profiles: ["tools"], conditions: { db: "started" } });
  for (const note of [
    "60: shm_size: 256mb",
    "32: networks: [app]",
    "48: POSTGRES_PASSWORD is that of .env",
  ]) {
    expect(notes).toContain(note);
  }
});

test("a Rails application with Redis and Sidekiq", () => {
  const { by, notes } = stack("rails-sidekiq.yml");
  expect(by.sidekiq).toMatchObject({
    command: "bundle exec sidekiq -C config/sidekiq.yml",
    limits: { memory: 768 * 1024 * 1024 },
    conditions: { postgres: "started", redis: "started" },
    env: { RAILS_ENV: "development", MALLOC_ARENA_MAX: "2" },
  });
  expect(by.postgres).toMatchObject({ stopSignal: "SIGINT", stopTimeout: 60_000, port: undefined });
  expect(by.mail).toMatchObject({ port: 1025, own: { ports: [{ inside: 8025, outside: 8025 }] } });
  expect(notes).toContain("19: tmpfs: [/tmp, /app/tmp/pids]");
  expect(notes).toContain("38: deploy.replicas: 1");
});

test("WordPress with MariaDB, secrets and a proxy", () => {
  const { by, notes, name } = stack("wordpress.yaml");
  expect(name).toBe("my-blog");
  expect(by.wordpress).toMatchObject({ port: 8080, own: { inside: 80 }, restartWith: ["db"] });
  expect(by.wordpress!.env.WORDPRESS_CONFIG_EXTRA).toContain("'http://$${HTTP_HOST}'");
  expect(by.db!.own).toMatchObject({
    volumes: [
      { kind: "bind", target: "/run/secrets/db_password", readOnly: true },
      { kind: "named", source: "db", target: "/var/lib/mysql" },
    ],
  });
  expect(by.db!.startTimeout).toBe(240_000);
  expect(by.caddy).toMatchObject({ port: undefined, own: { inside: 80 } });
  expect(notes).toContain("56: ports: 80 is localhostess's own; its name leads to it");
  expect(notes).toContain("58: cap_add: [NET_ADMIN]");
  expect(notes).toContain("65: volumes.db: { external: true, name: blog_db }");
});

test("a platform of many parts", () => {
  const { by, notes } = stack("backend-platform.yaml");
  expect(Object.keys(by)).toContain("auth-api");
  expect(Object.keys(by)).toContain("realtime-dev-platform");
  expect(by.gateway!.own).toMatchObject({
    entrypoint: [
      ...["bash", "-c"],
      'eval "echo \\"$(cat ~/temp.yml)\\"" > ~/kong.yml && /docker-entrypoint.sh kong docker-start',
    ],
  });
  expect(by["auth-api"]!.env).toMatchObject({
    API_EXTERNAL_URL: "${shell.API_EXTERNAL_URL:-http://localhost:${shell.GATEWAY_PORT:-8000}}",
    JWT_EXP: "${shell.JWT_EXPIRY-3600}",
    EXTRA: "${shell.WITH_EXTRA:+yes}",
  });
  expect(by["realtime-dev-platform"]).toMatchObject({ conditions: { db: "started" } });
  expect(by.rest_api).toMatchObject({ own: { inside: 3000 } });
  expect(by.analytics!.own).toMatchObject({
    inside: 4000,
    ports: [{ inside: 4001, outside: 4001 }],
  });
  expect(notes.some((note) => note.includes("ulimits"))).toBe(true);
});

test("a broker and those that use it", () => {
  const { by, notes } = stack("kafka.yaml");
  expect(by.kafka).toMatchObject({
    env: { "xpack.security.enabled": "false", KAFKA_NODE_ID: "1" },
  });
  expect(by.kafka!.own).toMatchObject({
    user: "1000:1000",
    ports: [{ inside: 9093, outside: undefined }],
  });
  expect(by.registry!.conditions).toEqual({ "init-topics": "completed" });
  expect(by["init-topics"]!.command).toContain("--topic orders");
  expect(by.consumer!.own).toMatchObject({ build: { context: `${directory}/consumer` } });
  for (const key of ["scale: 2", "pull_policy: build", "init: true", "build.network: host"]) {
    expect(notes.some((note) => note.endsWith(key))).toBe(true);
  }
});
