/** A parent that listens first, as a service manager does -> the daemon on its sockets, from the first connection. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { command, freshState } from "../cli/cli.ts";
import { eventually } from "../support/eventually.ts";

setDefaultTimeout(120_000);

const activate = Bun.which("systemd-socket-activate");
const python = Bun.which("python3");

/** Listens, waits for a connection, and becomes the program: what systemd-socket-activate does. */
const byPython = `
import os, select, socket, sys
sockets = []
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_INET, "0.0.0.0")):
    one = socket.socket(family)
    if family == socket.AF_INET6: one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    one.bind((address, int(sys.argv[2 if address == "0.0.0.0" else 1])))
    one.listen()
    sockets.append(one)
select.select(sockets, [], [])
kept = [os.dup(one.fileno()) for one in sockets]
for at, one in enumerate(kept): os.dup2(one, 3 + at)
os.environ.update(LISTEN_FDS="3", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[3], sys.argv[3:])
`;

async function freePort(): Promise<number> {
  using its = Bun.listen({ hostname: "::", port: 0, socket: { data() {} } });
  return its.port;
}

const ways = { "systemd-socket-activate": activate, python3: python } as const;

// The first that is there.
const way = (Object.keys(ways) as (keyof typeof ways)[]).find((its) => ways[its] !== null);

test.skipIf(way === undefined || process.platform !== "linux")(
  `the connection that starts the daemon is answered, and the wildcard socket beside is refused (by ${way})`,
  async () => {
    await using state = await freshState();
    const [port, open] = [await freePort(), await freePort()];
    const words = command("server", "start", "--port", String(port));
    const own = { ...state.env, LOCALHOSTESS_HTTP_PORT: "off", LOCALHOSTESS_HTTPS_PORT: "off" };
    const places = [`127.0.0.1:${port}`, `[::1]:${port}`, `0.0.0.0:${open}`];
    const parent =
      way === "python3"
        ? [python!, "-c", byPython, String(port), String(open), ...words]
        : [
            ...[activate!, ...places.flatMap((place) => ["-l", place])],
            ...Object.entries(own).flatMap(([name, value]) => ["-E", `${name}=${value}`]),
            ...words,
          ];
    const child = Bun.spawn(parent, {
      ...{ cwd: "/", detached: true, env: { ...process.env, ...own } },
      ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    });
    let said = "";
    const reading = [child.stdout, child.stderr].map(async (stream) => {
      const decoder = new TextDecoder();
      for await (const bytes of stream) said += decoder.decode(bytes, { stream: true });
    });
    try {
      const get = (address: string) =>
        fetch(`http://${address}:${port}/`, { headers: { Host: "localhost" } });
      // The parent may not listen yet.
      let first: Response | undefined;
      await eventually("an answer", async () => {
        first = await get("127.0.0.1").catch(() => undefined);
        return first !== undefined;
      });
      expect(first!.headers.get("server")).toBe("localhostess");
      expect((await get("[::1]")).ok).toBeTrue();
      expect(said).toContain(`it listens on 0.0.0.0:${open}, for other machines too`);
      const banner = ` on 127.0.0.1 and [::1], port ${port}\n`;
      await eventually("the banner", () => said.includes(banner));
    } finally {
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
      await Promise.all(reading);
    }
  },
);
