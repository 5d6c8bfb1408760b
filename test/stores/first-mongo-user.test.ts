/**
 * The first user of a MongoDB, made in a program that plays mongod by the documentation of its protocol: no package has
 * a real one for these tests.
 */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { firstMongoUser } from "../../src/stores/servers/first-mongo-user.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lh-mongo-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const message = resolve(import.meta.dir, "../../src/wire/mongo-message.ts");
const bson = resolve(import.meta.dir, "../../src/wire/bson.ts");

/** `reply`: the document of its answer, as an expression. */
function playing(reply: string): string {
  const program = join(folder, "mongod");
  const script = join(folder, "mongod.ts");
  writeFileSync(
    script,
    `import { bsonFields } from ${JSON.stringify(bson)};
import { mongoCommand } from ${JSON.stringify(message)};
import { writeFileSync } from "node:fs";
const words = process.argv.slice(2);
const at = (name) => words[words.indexOf(name) + 1];
process.on("SIGTERM", () => { writeFileSync(${JSON.stringify(join(folder, "ended"))}, ""); process.exit(0); });
Bun.listen({ unix: at("--bind_ip"), socket: { data(socket, bytes) {
  const asked = bsonFields(bytes.subarray(21));
  writeFileSync(${JSON.stringify(join(folder, "asked"))}, JSON.stringify([words, ...asked]));
  const answer = mongoCommand(${reply});
  for (const byte of answer) socket.write(Uint8Array.of(byte));
} } });
`,
  );
  writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${script} "$@"\n`);
  chmodSync(program, 0o755);
  return program;
}

const made = (program: string) =>
  firstMongoUser({
    ...{ program, folder, socket: join(folder, "first.sock"), user: "root", password: "s3cret" },
    env: { PATH: process.env.PATH! },
  });

test("the user is asked for over a private socket alone, and the server is ended afterwards", async () => {
  await made(playing("{ ok: 1 }"));
  const [words, ...fields] = JSON.parse(readFileSync(join(folder, "asked"), "utf8"));
  expect(words).toEqual([
    ...["--dbpath", folder, "--bind_ip", join(folder, "first.sock")],
    ...["--unixSocketPrefix", folder],
  ]);
  expect(new Map(fields)).toEqual(
    new Map([
      ["createUser", "root"],
      ["pwd", "s3cret"],
      ["$db", "admin"],
    ]),
  );
  expect(existsSync(join(folder, "ended"))).toBe(true);
  expect(existsSync(join(folder, "first.sock"))).toBe(false);
});

test("a server that refuses, or that ends, is told with its reason", async () => {
  await expect(made(playing('{ ok: 0, errmsg: "not allowed" }'))).rejects.toThrow(
    "the data of MongoDB could not be made: not allowed",
  );
  const program = join(folder, "broken");
  writeFileSync(program, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  await expect(made(program)).rejects.toThrow(
    "the data of MongoDB could not be made: mongod ended",
  );
});
