/** This process -> the name of the user it runs as. */
import { userInfo } from "node:os";
import { runCommand } from "./command.ts";

/** Searched after PATH, because a process started by a service manager may have none. */
const systemPath = "/usr/bin:/bin";

/** Milliseconds. id(1) may ask a directory server, which may be far away. */
const deadline = 2_000;

/**
 * Uses id(1), because Bun only repeats USER, and says "unknown" if it is not set (1.4.5). Returns `uid 1000` if id(1)
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
