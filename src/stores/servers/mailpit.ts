/** Mailpit: a store -> how it is started: a page with the mail that programs have sent, and the SMTP port for them. */
import { join } from "node:path";
import { packageFolders } from "./package-folders.ts";
import type { StoreFacts, StoreServer } from "./server.ts";

/** Nobody outside is asked whether there is a newer one. */
const quiet = "--disable-version-check";

function settingsOf({ spec }: StoreFacts): string[] {
  return Object.entries(spec.settings).map(([name, value]) => `--${name}=${value}`);
}

export const mailpit: StoreServer = {
  title: "Mailpit",
  programs: ["mailpit"],
  folders: (version) => packageFolders("mailpit", version),
  asksVersion: ["version", "--no-release-check"],
  // `mailpit v1.27.0 compiled with go1.24.4 on linux/amd64`
  versionIn: (said) => /\bv(\d+\.\d+\.\d+)\b/.exec(said)?.[1],
  getting: "brew install mailpit, or see https://mailpit.axllent.org",
  start(facts) {
    const { place, port, ports } = facts;
    return {
      words: [
        ...[quiet, ...settingsOf(facts), "--listen", `127.0.0.1:${port}`],
        ...(ports.smtp === undefined ? [] : ["--smtp", `127.0.0.1:${ports.smtp}`]),
        ...["--database", join(place.data, "mailpit.db")],
      ],
      env: {},
      files: {},
    };
  },
  inContainer(facts) {
    const { spec, ports } = facts;
    const { version } = spec;
    return {
      spec: {
        image: spec.image ?? `axllent/mailpit:v${version ?? "1.27"}`,
        ...{ inside: 8025, data: "/data", entrypoint: undefined },
        ports: [{ inside: 1025, outside: ports.smtp, protocol: "tcp" }],
      },
      words: [quiet, ...settingsOf(facts), "--database", "/data/mailpit.db"],
      env: {},
    };
  },
};
