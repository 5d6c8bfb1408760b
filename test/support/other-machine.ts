/**
 * A name -> another machine on this one: an sshd with servers beside it, in namespaces of their own, reached by a port
 * of loopback whose packets can be lost.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket, connect } from "node:net";
import { join } from "node:path";
import { lacking } from "./debian.ts";
import type { Order } from "./machine-inside.ts";

export interface OtherMachine extends AsyncDisposable {
  readonly name: string;
  /** Where ssh connects to. */
  readonly port: number;
  /** Connections of ssh that were begun. */
  readonly connections: number;
  order(order: Order): Promise<unknown>;
  /** From now on no byte comes through either way, and no connection ends: the lid was closed. */
  sleep(): void;
  wake(): void;
}

export type MachineOptions = {
  name: string;
  /** A folder for its files, ours alone. */
  folder: string;
  /** The public key of those who may log in. */
  authorized: string;
  /** More lines of its sshd_config. */
  config?: string;
  /** Variables of every session there. */
  variables?: Readonly<Record<string, string>>;
};

const namespaces = ["unshare", "-n", "-p", "-f", "-m", "--mount-proc", "--kill-child"];

/** Empty where other machines can be made here, else the reason, for a test's title. */
export function lackingMachines(): string {
  const missing = lacking(["sshd", "ssh", "openssl", "ip"]);
  if (missing !== "") return missing;
  const can = process.getuid?.() === 0 && Bun.spawnSync([...namespaces, "true"]).success;
  return can ? "" : " (needs root, and namespaces for processes and networks)";
}

export async function otherMachine(options: MachineOptions): Promise<OtherMachine> {
  const { name, folder, authorized, config = "", variables = {} } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const keygen = Bun.spawnSync([
    ...["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(folder, "host_key")],
  ]);
  if (!keygen.success) throw new Error(keygen.stderr.toString());
  await writeFile(join(folder, "authorized_keys"), authorized);
  const set = Object.entries(variables).map(([key, value]) => `${key}=${value}`);
  await writeFile(
    join(folder, "sshd_config"),
    `ListenAddress 127.0.0.1
Port 22
HostKey ${join(folder, "host_key")}
AuthorizedKeysFile ${join(folder, "authorized_keys")}
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PidFile none
${set.length === 0 ? "" : `SetEnv ${set.join(" ")}`}
${config}
`,
  );
  const socket = join(folder, "sshd.sock");
  const inside = Bun.spawn(
    [
      ...namespaces,
      process.execPath,
      join(import.meta.dir, "machine-inside.ts"),
      JSON.stringify({
        sshd: ["/usr/sbin/sshd", "-D", "-e", "-f", join(folder, "sshd_config")],
        port: 22,
        socket,
      }),
    ],
    { stdin: "pipe", stdout: "pipe", stderr: Bun.file(join(folder, "errors")), detached: true },
  );
  const answers = lines(inside.stdout);
  if ((await answers.next()).done) throw new Error(await Bun.file(join(folder, "errors")).text());
  const wire = await startWire(socket);
  return {
    name,
    port: wire.port,
    get connections() {
      return wire.connections;
    },
    async order(order) {
      inside.stdin.write(`${JSON.stringify(order)}\n`);
      await inside.stdin.flush();
      const { value, done } = await answers.next();
      if (done) throw new Error(await Bun.file(join(folder, "errors")).text());
      return JSON.parse(value) as unknown;
    },
    sleep: () => wire.pass(false),
    wake: () => wire.pass(true),
    async [Symbol.asyncDispose]() {
      wire.stop();
      inside.kill("SIGKILL");
      await inside.exited;
    },
  };
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let held = "";
  for await (const chunk of stream) {
    const parts = (held + decoder.decode(chunk, { stream: true })).split("\n");
    held = parts.pop()!;
    yield* parts;
  }
}

type Wire = {
  port: number;
  readonly connections: number;
  pass(passes: boolean): void;
  stop(): void;
};

/** A port of loopback that leads to a unix socket, unless the machine sleeps. */
async function startWire(socket: string): Promise<Wire> {
  const ends = new Set<Socket>();
  let passes = true;
  let connections = 0;
  const server: Server = createServer((client) => {
    connections++;
    ends.add(client);
    client.on("error", () => client.destroy());
    client.on("close", () => ends.delete(client));
    // Whoever begins while it sleeps is never answered, not even after it is awake.
    if (!passes) return;
    const other = connect(socket);
    ends.add(other);
    other.on("error", () => client.destroy());
    other.on("close", () => {
      ends.delete(other);
      if (passes) client.destroy();
    });
    client.on("close", () => other.destroy());
    client.on("data", (bytes) => passes && other.write(bytes));
    other.on("data", (bytes) => passes && client.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as { port: number }).port,
    get connections() {
      return connections;
    },
    pass(its) {
      passes = its;
    },
    stop() {
      server.close();
      for (const end of ends) end.destroy();
    },
  };
}

export type Client = {
  /** The folder of an `ssh` that reads a configuration of its own, for PATH. */
  bin: string;
  /** Its public key. */
  key: string;
  /** Writes the configuration; machines in `known` have host keys that are known. */
  configure(machines: readonly OtherMachine[], known: readonly string[]): Promise<void>;
};

/** ssh finds its home by the user database, whatever HOME says, so that it is told where its configuration is. */
export async function sshClient(folder: string): Promise<Client> {
  const [bin, key] = [join(folder, "bin"), join(folder, "key")];
  await mkdir(bin, { recursive: true, mode: 0o700 });
  const made = Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]);
  if (!made.success) throw new Error(made.stderr.toString());
  const program = Bun.which("ssh")!;
  const wrapper = `#!/bin/sh\nexec ${program} -F ${join(folder, "ssh_config")} "$@"\n`;
  await writeFile(join(bin, "ssh"), wrapper, { mode: 0o755 });
  return {
    bin,
    key: await Bun.file(`${key}.pub`).text(),
    async configure(machines, known) {
      const hosts = machines.map(
        ({ name, port }) => `Host ${name}
  HostName 127.0.0.1
  Port ${port}
  HostKeyAlias ${name}
  # To be cleared: no port of ours is open.
  LocalForward 127.0.0.1:47611 127.0.0.1:22
`,
      );
      const common = `Host *
  User ${Bun.spawnSync(["id", "-un"]).stdout.toString().trim()}
  IdentityFile ${key}
  IdentitiesOnly yes
  UserKnownHostsFile ${join(folder, "known_hosts")}
  GlobalKnownHostsFile /dev/null
`;
      await writeFile(join(folder, "ssh_config"), hosts.join("") + common);
      const keys = await Promise.all(
        known.map(async (name) => {
          const [type, text] = (await Bun.file(join(folder, name, "host_key.pub")).text()).split(
            " ",
          );
          return `${name} ${type} ${text}\n`;
        }),
      );
      await writeFile(join(folder, "known_hosts"), keys.join(""));
    },
  };
}
