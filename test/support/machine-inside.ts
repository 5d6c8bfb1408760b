/**
 * Lines on standard input -> an sshd and servers inside a network and a process list of their own. To be run by
 * `other-machine.ts` as the first process there.
 */
import { readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";

/** `words`: of sshd. `socket`: leads to its port, from outside. */
export type Inside = { sshd: readonly string[]; port: number; socket: string };

export type Order =
  /** Starts a server; its pid is the answer. `address`: may be a path. `tls`: a key and a certificate, PEM. */
  | {
      kind: "serve";
      name: string;
      address: string;
      port: number;
      says: string;
      tls?: { key: string; cert: string } | undefined;
    }
  | { kind: "end"; pid: number }
  /** A signal to each process of sshd that has a connection. */
  | { kind: "signal"; signal: "SIGKILL" }
  /** The addresses that anything but the servers and sshd listens on. */
  | { kind: "listening" };

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "latin1");
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent;
      } catch {
        // The process has ended.
        return false;
      }
    })
    .map(Number);
}

async function main({ sshd: words, port, socket }: Inside): Promise<void> {
  for (const command of [
    ["ip", "link", "set", "lo", "up"],
    ["mount", "-t", "tmpfs", "tmpfs", "/run"],
    ["mkdir", "/run/sshd"],
  ]) {
    const { exitCode } = Bun.spawnSync(command, { stderr: "inherit" });
    if (exitCode !== 0) process.exit(1);
  }
  const sshd = Bun.spawn([...words], { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  const ports = new Set([port]);
  const relay = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    client.pipe(server).pipe(client);
    for (const end of [client, server]) {
      end.on("error", () => {
        client.destroy();
        server.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => relay.listen(socket, resolve));
  const carryOut = async (order: Order): Promise<unknown> => {
    switch (order.kind) {
      case "serve": {
        const { name, address, says, tls } = order;
        ports.add(order.port);
        const place = address.startsWith("/")
          ? { unix: address }
          : { hostname: address, port: order.port };
        const code = `Bun.serve({
          ...${JSON.stringify({ ...place, tls })},
          fetch: (request, server) => server.upgrade(request) ? undefined :
            new Response(${JSON.stringify(says)} + " " + request.headers.get("host")),
          websocket: { message: (socket, text) => { socket.send(text + " back"); } },
        }); console.log("listens")`;
        const child = Bun.spawn([process.execPath, "-e", code], {
          env: { ...process.env, NAME: name },
          // In no checkout of ours.
          cwd: "/",
          stdin: "ignore",
          stdout: "pipe",
          stderr: "inherit",
        });
        await child.stdout.getReader().read();
        return child.pid;
      }
      case "end":
        process.kill(order.pid, "SIGKILL");
        return true;
      case "signal": {
        const sessions = childrenOf(sshd.pid);
        // A session of a user has a process of its own below that with root's rights.
        for (const pid of [...sessions, ...sessions.flatMap(childrenOf)]) {
          if (/^sshd/.test(readFileSync(`/proc/${pid}/comm`, "latin1"))) {
            process.kill(pid, order.signal);
          }
        }
        return sessions.length;
      }
      case "listening":
        return ["tcp", "tcp6"].flatMap((table) =>
          readFileSync(`/proc/net/${table}`, "latin1")
            .split("\n")
            .map((line) => line.trim().split(/\s+/))
            .filter(([, local, , state]) => state === "0A" && local !== undefined)
            .map(([, local]) => Number.parseInt(local!.split(":")[1]!, 16))
            .filter((its) => !ports.has(its)),
        );
    }
  };
  process.stdout.write("null\n");
  for await (const line of console) {
    process.stdout.write(`${JSON.stringify(await carryOut(JSON.parse(line) as Order))}\n`);
  }
  process.exit(0);
}

if (import.meta.main) await main(JSON.parse(process.argv[2]!) as Inside);
