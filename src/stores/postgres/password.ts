/** Data whose password is another -> the same data with the one of its place, before anybody can connect. */
import { pbkdf2Sync } from "node:crypto";
import { join } from "node:path";
import { configurationIn, lastFault, type ServerPrograms, superuser } from "./server.ts";
import { Unstartable } from "./unstartable.ts";

/** RFC 7677 section 4, and PostgreSQL's own number. */
const iterations = 4096;
const saltBytes = 16;

/** PostgreSQL keeps this in the place of a password: the password itself then stands in no statement, and no log. */
export function scramVerifier(
  password: string,
  salt: Uint8Array = crypto.getRandomValues(new Uint8Array(saltBytes)),
): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const key = (text: string): Buffer =>
    Buffer.from(new Bun.CryptoHasher("sha256", salted).update(text).digest());
  const stored = new Bun.CryptoHasher("sha256").update(key("Client Key")).digest("base64");
  const encoded = Buffer.from(salt).toString("base64");
  return `SCRAM-SHA-256$${iterations}:${encoded}$${stored}:${key("Server Key").toString("base64")}`;
}

/** By the server's single-user mode, which reads statements from standard input. @throws Unstartable. */
export async function setPassword(programs: ServerPrograms, data: string): Promise<void> {
  const { folder, user } = programs;
  const child = Bun.spawn(
    [
      ...user.prefix,
      ...[
        join(folder, "postgres"),
        "--single",
        "-D",
        data,
        "-c",
        `config_file=${configurationIn(data)}`,
      ],
      ...["-c", "exit_on_error=on", superuser],
    ],
    {
      cwd: "/",
      env: programs.env,
      stdin: Buffer.from(
        `ALTER ROLE ${superuser} PASSWORD '${scramVerifier(programs.password)}'\n`,
      ),
      stdout: "ignore",
      stderr: "pipe",
    },
  );
  const said = await child.stderr.text();
  if ((await child.exited) === 0) return;
  programs.say(said.trimEnd());
  throw new Unstartable(`its password could not be set: ${lastFault(said)}`);
}
