/** An NSS database -> a trust store, by NSS's own `certutil`. */
import { installCommand } from "./install-command.ts";
import { makeFolder, removeIfNew } from "./made-database.ts";
import { type Database, nssDatabases } from "./nss-databases.ts";
import { bodiesOf, bodyOf, pemOf, sha256Of } from "./pem.ts";
import type { Certificate, Check, Machine, Outcome, TrustStore } from "./store.ts";
import { pastedWord } from "../../text/shell-words.ts";
import { failureOf, textOf } from "./failure-text.ts";

/** Trusted to sign certificates of servers, but not for mail or programs. */
const trust = "C,,";

/** `certutil` removes by nickname, so each of our certificates has its own. */
function nicknameOf({ pem }: Pick<Certificate, "pem">): string {
  return `localhostess ${sha256Of(pem).slice(0, 16)}`;
}

type Entry = {
  nickname: string;
  /** The first of the three trust attributes: servers. */
  servers: string;
};

type Found = Entry & {
  /** Whether the nickname belongs to this certificate only. */
  alone: boolean;
};

/** Thrown when the command fails. */
class Failure extends Error {
  readonly fix: string;

  constructor(why: string, fix: string) {
    super(why);
    this.fix = fix;
  }
}

export async function nssStores(machine: Machine): Promise<TrustStore[]> {
  return (await nssDatabases(machine)).map((database) => nssStore(database, machine));
}

export function nssStore(database: Database, machine: Machine): TrustStore {
  const place = `sql:${database.directory}`;
  const again = "localhostess trust";
  let isMade = database.made;

  async function certutil(...args: string[]): Promise<string> {
    // With a password file, certutil never prompts and so never waits for an answer.
    const argv = ["certutil", ...args, "-d", place, "-f", "/dev/null"] as const;
    const result = await machine.run(argv as unknown as [string, ...string[]]);
    if (result.kind === "missing") {
      throw new Failure("certutil is not installed", await installCommand("certutil", machine));
    }
    const why = failureOf("certutil", result);
    if (why === undefined) return (result as { stdout: string }).stdout;
    if (result.kind === "done" && /SEC_ERROR_BAD_PASSWORD/.test(result.stderr)) {
      throw new Failure(
        "it has a master password, which only the browser can be given",
        "import the certificate in the browser's settings, or remove the master password for a moment",
      );
    }
    throw new Failure(
      why,
      `close the browser and try again; to see more: certutil -L -d ${pastedWord(place)}`,
    );
  }

  /**
   * All entries that may be ours. A certificate imported by hand is listed by its common name, which contains our name
   * too.
   */
  async function entries(): Promise<Entry[]> {
    const lines = (await certutil("-L")).split("\n");
    return lines.flatMap((line) => {
      const [, nickname, servers] = line.match(/^(.+?)\s+(\w*),\w*,\w*\s*$/) ?? [];
      if (nickname === undefined || !/localhostess/i.test(nickname)) return [];
      return [{ nickname, servers: servers! }];
    });
  }

  /**
   * Finds the certificate under its own nickname, or under another one that someone gave it. For a nickname, certutil
   * prints every certificate of the same subject, newest first; those with a nickname of their own are told apart by
   * it.
   */
  async function find(certificate: Certificate): Promise<Found | undefined> {
    const wanted = bodyOf(certificate.pem);
    const all = await entries();
    const named = new Set(all.map(({ nickname }) => nickname));
    const own = all.find(({ nickname }) => nickname === nicknameOf(certificate));
    if (own !== undefined) return { ...own, alone: true };
    for (const entry of all) {
      if (/^localhostess [0-9a-f]{16}$/.test(entry.nickname)) continue;
      const bodies = bodiesOf(await certutil("-L", "-n", entry.nickname, "-a"));
      const candidates = bodies.filter((body) => !named.has(nicknameOf({ pem: pemOf(body) })));
      if (candidates.includes(wanted)) return { ...entry, alone: candidates.length === 1 };
    }
    return undefined;
  }

  async function take(certificate: Certificate): Promise<boolean> {
    const found = await find(certificate);
    if (found === undefined) return false;
    if (!found.alone) {
      throw new Failure(
        "it is there with others of the same name, imported by hand, and certutil cannot tell them apart",
        `remove "${found.nickname}" in the browser's settings`,
      );
    }
    await certutil("-D", "-n", found.nickname);
    if ((await find(certificate)) === undefined) return true;
    throw new Failure(
      "certutil removed it, but it is still there",
      `remove "${found.nickname}" in the browser's settings`,
    );
  }

  async function make(): Promise<void> {
    await makeFolder(database.directory);
    await certutil("-N", "--empty-password");
    isMade = true;
  }

  /** Neither a certificate nor a key. */
  async function isEmpty(): Promise<boolean> {
    if (/ \w*,\w*,\w*\s*$/m.test(await certutil("-L"))) return false;
    const argv = ["certutil", "-K", "-d", place, "-f", "/dev/null"] as const;
    const keys = await machine.run([...argv]);
    return keys.kind === "done" && `${keys.stdout}${keys.stderr}`.includes("no keys found");
  }

  async function outcome(action: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof Failure) return { kind: "failed", why: error.message, fix: error.fix };
      return { kind: "failed", why: textOf(error), fix: `look at ${database.directory}` };
    }
  }

  return {
    name: database.name,

    async check(certificate): Promise<Check> {
      if (!isMade) return { kind: "absent", why: "the database does not exist yet" };
      try {
        const entry = await find(certificate);
        if (entry === undefined) return { kind: "absent" };
        if (entry.servers.includes("C")) return { kind: "trusted" };
        return { kind: "absent", why: "it is there, but not trusted for servers" };
      } catch (error) {
        const fix = error instanceof Failure ? error.fix : `look at ${database.directory}`;
        return { kind: "unavailable", why: textOf(error), fix };
      }
    },

    install: (certificate) =>
      outcome(async () => {
        if (!isMade) await make();
        const entry = await find(certificate);
        if (entry?.servers.includes("C")) return { kind: "already" };
        const nickname = entry?.nickname ?? nicknameOf(certificate);
        try {
          await certutil("-A", "-n", nickname, "-t", trust, "-i", certificate.path);
        } catch (error) {
          // If the database has a password, it now holds the certificate, but without trust.
          if (entry === undefined) await take(certificate);
          throw error;
        }
        if ((await find(certificate))?.servers.includes("C") !== true) {
          return { kind: "failed", why: "certutil did not keep it as trusted", fix: again };
        }
        return { kind: "done", note: "restart the browser if it is running" };
      }),

    remove: (certificate) =>
      outcome(async () => {
        if (!isMade) return { kind: "already" };
        const removed = await take(certificate);
        if (!removed) return { kind: "already" };
        isMade = !(await removeIfNew(database.directory, isEmpty));
        return { kind: "done", note: "restart the browser if it is running" };
      }),
  };
}
