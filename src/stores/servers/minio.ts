/** MinIO: a store -> how its server is started. A folder in its data is a bucket. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { storeUser } from "../../manifest/types/usual.ts";
import type { StoreFacts, StoreServer } from "./server.ts";

/** Settings are variables, in MinIO's own words. */
function envOf({ spec, password }: StoreFacts): Record<string, string> {
  return { ...spec.settings, MINIO_ROOT_USER: storeUser.minio, MINIO_ROOT_PASSWORD: password };
}

export const minio: StoreServer = {
  title: "MinIO",
  programs: ["minio"],
  folders: () => [],
  asksVersion: ["--version"],
  // `minio version RELEASE.2025-09-07T16-13-09Z (commit-id=...)`
  versionIn: (said) => /\bRELEASE\.(\d{4}-\d{2}-\d{2})T/.exec(said)?.[1]?.replaceAll("-", "."),
  getting: "brew install minio, or see https://min.io/docs",
  start(facts) {
    const { place, port, ports, spec } = facts;
    for (const bucket of spec.buckets) {
      mkdirSync(join(place.data, bucket), { recursive: true, mode: 0o700 });
    }
    const console = ports.console === undefined ? [] : [`127.0.0.1:${ports.console}`];
    return {
      words: [
        ...["server", place.data, "--address", `127.0.0.1:${port}`],
        ...console.flatMap((its) => ["--console-address", its]),
      ],
      env: envOf(facts),
      files: {},
    };
  },
  inContainer(facts) {
    const { spec, ports } = facts;
    const words = ["server", "/data", "--address", ":9000", "--console-address", ":9001"];
    const folders = spec.buckets.map((bucket) => `/data/${bucket}`);
    const made = ["-c", `mkdir -p ${folders.join(" ")} && exec minio ${words.join(" ")}`];
    return {
      spec: {
        image: spec.image ?? "minio/minio:RELEASE.2025-09-07T16-13-09Z",
        ...{ inside: 9000, data: "/data" },
        entrypoint: folders.length === 0 ? undefined : ["/bin/sh"],
        ports: [{ inside: 9001, outside: ports.console, protocol: "tcp" }],
      },
      words: folders.length === 0 ? words : made,
      env: envOf(facts),
    };
  },
};
