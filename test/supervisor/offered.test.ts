/** The variables that services give to those that depend on them: which one counts, and who gets them. */
import { expect, test } from "bun:test";
import type { ProjectSpec } from "../../src/manifest/project.ts";
import type { Gift } from "../../src/supervisor/types/kind.ts";
import { kindOf } from "../../src/supervisor/types/kinds.ts";
import { filledSpec } from "../../src/supervisor/project/unit.ts";
import { project } from "../manifest/manifest.ts";
import { noKinds } from "./no-kinds.ts";

const machine = {
  ...noKinds,
  placeOf: ({ service }: { service: string }) => ({
    ...{ folder: `/p/${service}`, data: "/p/data", sockets: "/p/s", password: service },
  }),
  passwordOf: ({ password }: { password: string }) => `secret-of-${password}`,
};

const ports: Readonly<Record<string, number>> = { db: 5001, other: 5002, web: 3000, cache: 6001 };

function factsOf(its: ProjectSpec, name: string) {
  const { name: of, directory } = its;
  const port = ports[name];
  return {
    id: `${of}:${name}`,
    project: of,
    directory,
    port,
    url: undefined,
    portOf: () => undefined,
    machine,
  };
}

/** The environment of `web` in that project, without that of its shell. */
function envOf(text: string, shell: Record<string, string> = {}): Record<string, string> {
  const its = project(text, { shell });
  const giftOf = (name: string): Gift | undefined => {
    const other = its.services.find((one) => one.name === name);
    return other && kindOf(other).gives(other, factsOf(its, name));
  };
  const spec = its.services.find(({ name }) => name.startsWith("web"))!;
  const filled = filledSpec({ spec, shell }, { project: its, giftOf, facts: factsOf(its, "web") });
  if (filled.kind === "mistakes") throw new Error(filled.mistakes.join("\n"));
  return { ...filled.spec.env };
}

const shop = (web: string): string => `[services]
other = { type = "postgres", database = "other" }
db = { type = "postgres", database = "shop" }
cache = { type = "redis" }
[services.web]
command = "x"
${web}
`;

test("whoever depends on a database has its variables, and nobody else", () => {
  const env = envOf(shop('depends_on = ["db"]'));
  expect(env).toMatchObject({
    DATABASE_URL: expect.stringMatching(/^postgres:\/\/postgres:secret-of-db@\S+:5001\/shop$/),
    PGPORT: "5001",
    PGUSER: "postgres",
    PGPASSWORD: "secret-of-db",
    PGDATABASE: "shop",
  });
  expect(env.PGHOST).toBeString();
  expect(env.REDIS_URL).toBeUndefined();
  expect(Object.keys(envOf(shop("")))).toEqual([]);
});

test("of two databases, the first in depends_on is the one that is meant", () => {
  expect(envOf(shop('depends_on = ["other", "db"]')).PGDATABASE).toBe("other");
  expect(envOf(shop('depends_on = ["db", "other"]')).PGDATABASE).toBe("shop");
  const all = envOf(shop('depends_on = ["cache", "db"]'));
  expect([all.PGDATABASE, all.REDIS_PORT]).toEqual(["shop", "6001"]);
});

test("a reference alone makes it depend on it as well", () => {
  const env = envOf(shop("env = { DSN = '${services.other.url}' }"));
  expect(env.DSN).toBe(env.DATABASE_URL!);
  expect(env.PGDATABASE).toBe("other");
});

test("what is declared beats them, and they beat the shell", () => {
  const shell = { DATABASE_URL: "of the shell", PGHOST: "of the shell", HOME: "/home/ada" };
  const env = envOf(
    shop('depends_on = ["db"]\nenv = { PGUSER = "mine", COPY = "${env.DATABASE_URL}?x=1" }'),
    shell,
  );
  expect(env.PGUSER).toBe("mine");
  expect(env.DATABASE_URL).toStartWith("postgres://");
  expect(env.PGHOST).not.toBe("of the shell");
  expect(env.COPY).toBe(`${env.DATABASE_URL}?x=1`);
  // A variable that is handed through by its name is the database's, too.
  const through = envOf(shop('depends_on = ["db"]\nenv = { PGPASSWORD = "${shell.PGPASSWORD}" }'), {
    PGPASSWORD: "of the shell",
  });
  expect(through.PGPASSWORD).toBe("secret-of-db");
});

test("every instance has them", () => {
  expect(envOf(shop('depends_on = ["db"]\ninstances = 2')).PGDATABASE).toBe("shop");
});

test("a service that cannot be started gives nothing", () => {
  const text =
    '[services]\ndb = { type = "postgre" }\nweb = { command = "x", depends_on = ["db"] }\n';
  expect(Object.keys(envOf(text))).toEqual([]);
});

test("what waits for a migration has the variables of the database that the migration waits for", () => {
  const behind = (web: string): string =>
    shop(web).replace(
      "[services.web]",
      '[services.migrate]\ntype = "task"\ncommand = "m"\ndepends_on = ["db"]\n[services.web]',
    );
  const env = envOf(
    `${behind('depends_on = ["migrate"]')}env = { URL = "\${env.DATABASE_URL}" }\n`,
  );
  expect(env).toMatchObject({ PGPORT: "5001", URL: env.DATABASE_URL });
  // The nearest one counts.
  expect(envOf(behind('depends_on = ["migrate", "other"]')).PGPORT).toBe("5002");
});
