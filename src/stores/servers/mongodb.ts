/** MongoDB: a store -> how its server is started, and how its first user is made. */
import { join } from "node:path";
import { storeUser, usualDatabase } from "../../manifest/types/usual.ts";
import { firstMongoUser } from "./first-mongo-user.ts";
import { packageFolders } from "./package-folders.ts";
import type { StoreFacts, StoreServer } from "./server.ts";

/** Settings are mongod's options: in a container there is no file for them. */
function settingsOf({ spec }: StoreFacts): string[] {
  return Object.entries(spec.settings).flatMap(([name, value]) =>
    // Options without a value: `--notablescan`.
    value === "" ? [`--${name}`] : [`--${name}`, value],
  );
}

export const mongodb: StoreServer = {
  title: "MongoDB",
  programs: ["mongod"],
  folders: (version) => packageFolders("mongodb-community", version),
  asksVersion: ["--version"],
  versionIn: (said) => /^db version v(\d+\.\d+\.\d+)/m.exec(said)?.[1],
  getting: "see https://www.mongodb.com/docs/manual/installation",
  start(facts) {
    const { place, port } = facts;
    return {
      words: [
        ...settingsOf(facts),
        ...["--dbpath", place.data, "--bind_ip", "127.0.0.1", "--port", String(port), "--auth"],
        ...["--unixSocketPrefix", place.sockets],
      ],
      env: {},
      files: {},
    };
  },
  prepare: (folder, { program, place, password, env }) =>
    firstMongoUser({
      ...{ program: program.path, folder, env, password, user: storeUser.mongodb },
      socket: join(place.sockets, "first.sock"),
    }),
  inContainer(facts) {
    const { spec, password } = facts;
    return {
      spec: {
        image: spec.image ?? `mongo:${spec.version ?? "8"}`,
        ...{ inside: 27_017, data: "/data/db", entrypoint: undefined, ports: [] },
      },
      words: ["mongod", ...settingsOf(facts)],
      env: {
        MONGO_INITDB_ROOT_USERNAME: storeUser.mongodb,
        MONGO_INITDB_ROOT_PASSWORD: password,
        MONGO_INITDB_DATABASE: spec.database ?? usualDatabase,
      },
    };
  },
};
