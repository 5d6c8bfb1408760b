/** Redis and Valkey: a store -> how its server is started. */
import { join } from "node:path";
import { askerSetting } from "../../wire/redis-ping.ts";
import { packageFolders } from "./package-folders.ts";
import type { StoreFacts, StoreServer } from "./server.ts";

/** The variable of a container that holds its configuration, with the password. */
const configuration = "LOCALHOSTESS_CONFIGURATION";

/** Redis reads a configuration from its standard input. The images' entry point changes to a user that is not root. */
function script(program: string): string {
  return [
    `set -- ${program}`,
    'if command -v docker-entrypoint.sh >/dev/null; then set -- docker-entrypoint.sh "$@"; fi',
    'exec "$@" - <<END',
    `$${configuration}`,
    "END",
  ].join("\n");
}

/** A setting stands behind its usual value and before what is ours: of two lines the later one counts. */
function configurationOf(
  { spec, password }: StoreFacts,
  { version, ours }: { version: string | undefined; ours: readonly string[] },
): string {
  const settings = Object.entries(spec.settings).map(
    // `save ""` means that nothing is saved.
    ([name, value]) => `${name} ${value === "" ? '""' : value}`,
  );
  // Redis 5 has no users, and ends at a line about one.
  const asker = Number.parseInt(version ?? "", 10) < 6 ? [] : [askerSetting];
  const login = [`requirepass ${password}`, ...asker];
  return [...usual, ...settings, ...ours, ...login].map((line) => `${line}\n`).join("");
}

/** A write that was answered survives kill -9 of the server, and but for the last second the machine's power cut. */
const usual = ["appendonly yes"];

type Names = {
  title: string;
  program: string;
  /** As it says itself: `Redis server v=7.0.15 sha=...`. */
  word: string;
  image(version: string | undefined): string;
};

function server({ title, program, word, image }: Names): StoreServer {
  return {
    title,
    programs: [program],
    folders: (version) => packageFolders(word.toLowerCase(), version),
    asksVersion: ["--version"],
    versionIn: (said) => new RegExp(`^${word} server v=([0-9.]+)`).exec(said)?.[1],
    getting: `apt install ${program}, or brew install ${word.toLowerCase()}`,
    start(facts) {
      const { place, port } = facts;
      const path = join(place.folder, `${word.toLowerCase()}.conf`);
      const ours = [
        ...["bind 127.0.0.1", "protected-mode yes", `port ${port}`, "daemonize no"],
        ...[`dir ${quoted(place.data)}`, "supervised no"],
        ...[`unixsocket ${quoted(join(place.sockets, "redis.sock"))}`, "unixsocketperm 700"],
      ];
      const { version } = facts.program;
      return {
        words: [path],
        env: {},
        files: { [path]: configurationOf(facts, { version, ours }) },
      };
    },
    inContainer(facts) {
      const { spec } = facts;
      const ours = ["bind 0.0.0.0", "protected-mode no", "port 6379", "daemonize no", "dir /data"];
      return {
        spec: {
          ...{ image: spec.image ?? image(spec.version), inside: 6379, data: "/data" },
          ...{ entrypoint: undefined, ports: [] },
        },
        words: ["sh", "-c", script(program)],
        env: { [configuration]: configurationOf(facts, { version: spec.version, ours }) },
      };
    },
  };
}

/** As redis.conf reads a word in double quotes. */
function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, "\\$&")}"`;
}

export const redis = server({
  ...{ title: "Redis", program: "redis-server", word: "Redis" },
  image: (version = "8") => `redis:${version}`,
});

export const valkey = server({
  ...{ title: "Valkey", program: "valkey-server", word: "Valkey" },
  image: (version = "8") => `valkey/valkey:${version}`,
});
