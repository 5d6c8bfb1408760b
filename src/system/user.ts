/** This process -> the name of the user that it runs as. */
import { userInfo } from "node:os";
import { runCommand } from "./command.ts";

/** Behind PATH, which a process started by a service manager may not have. */
const systemPath = "/usr/bin:/bin";

/** Milliseconds. It may ask a directory server, which may be far. */
const deadline = 2_000;

/**
 * By id(1), because Bun only repeats USER, and says "unknown" where there is none (1.4.5); `uid 1000` where that
 * finds no name either, as in many containers.
 */
export async function userName(): Promise<string> {
  const PATH = [process.env.PATH, systemPath].filter(Boolean).join(":");
  const result = await runCommand(["id", "-un"], {
    env: { PATH, LC_ALL: "C" },
    deadline,
    limit: 1024,
  });
  const name = result.kind === "done" && result.code === 0 ? result.stdout.trim() : "";
  if (name !== "") return name;
  const { username, uid } = userInfo();
  return username === "" || username === "unknown" ? `uid ${uid}` : username;
}
