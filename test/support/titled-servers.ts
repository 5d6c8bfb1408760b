/** A kind of server that writes its title over its environment -> a real one that runs, started with a NAME. */
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { shellWord } from "../../src/text/shell-words.ts";
import { type ProgramName, whereIs } from "./debian.ts";
import { eventually } from "./eventually.ts";
import { running } from "./running.ts";
import { freePort, uniqueName } from "./servers.ts";

const rails = resolve(import.meta.dir, "../e2e/fixtures/rails");

type Place = { port: number; folder: string };

type Kind = {
  needs: readonly ProgramName[];
  command(place: Place): readonly string[] | Promise<readonly string[]>;
  ready: RegExp;
  text: string;
  /** The file with the pid of a server that has left its group, and its ancestors. */
  leaves?: string;
};

const perl = String.raw`
use IO::Socket::INET;
my $door = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], ReuseAddr => 1) or die "in use";
$0 = "a title=1 of its own";
$| = 1;
print "listens\n";
while (my $client = $door->accept) {
  while (my $line = <$client>) { last if $line =~ /^\r?\n$/; }
  print $client "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nperl";
  close $client;
}`;

const python = `
try:
    import setproctitle
    setproctitle.setproctitle("a title")
except ImportError:
    pass

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "8")])
    return [b"gunicorn"]
`;

function nginxSettings({ port, folder }: Place): string {
  return `
    pid ${folder}/nginx.pid; error_log ${folder}/error.log notice;
    events {}
    http {
      access_log off;
      client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
      uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
      server { listen 127.0.0.1:${port}; location / { return 200 nginx; } }
    }`;
}

async function nginx(place: Place, more: readonly string[]): Promise<readonly string[]> {
  const file = join(place.folder, "nginx.conf");
  await writeFile(file, nginxSettings(place));
  return [whereIs("nginx")!, "-e", "stderr", "-c", file, ...more];
}

const kinds = {
  Rails: {
    needs: ["rails", "puma"],
    async command({ port, folder }) {
      await cp(rails, folder, { recursive: true });
      return [join(folder, "bin/rails"), "server", "-b", "127.0.0.1", "-p", String(port)];
    },
    ready: /Use Ctrl-C to stop/,
    text: "Rails",
  },
  nginx: {
    needs: ["nginx"],
    command: (place) => nginx(place, ["-g", "daemon off; error_log stderr notice;"]),
    ready: /start worker process /,
    text: "nginx",
  },
  "nginx as a daemon": {
    needs: ["nginx"],
    async command(place) {
      const line = (await nginx(place, [])).map(shellWord).join(" ");
      return ["sh", "-c", `${line} && echo ready && exec sleep 600`];
    },
    ready: /ready/,
    text: "nginx",
    leaves: "nginx.pid",
  },
  "gunicorn with setproctitle": {
    needs: ["gunicorn"],
    async command({ port, folder }) {
      await writeFile(join(folder, "app.py"), python);
      return ["gunicorn", "--chdir", folder, "-b", `127.0.0.1:${port}`, "app:app"];
    },
    ready: /Booting worker/,
    text: "gunicorn",
  },
  "perl with $0": {
    needs: ["perl"],
    command: ({ port }) => ["perl", "-e", perl, String(port)],
    ready: /listens/,
    text: "perl",
  },
} satisfies Record<string, Kind>;

export type TitledKind = keyof typeof kinds;

export const titledKinds: Readonly<Record<TitledKind, Kind>> = kinds;

export interface TitledServer extends AsyncDisposable {
  readonly name: string;
  readonly text: string;
}

/** Where the system lets nobody read the memory of another process, a shell with the NAME stands behind each server. */
export function isMemoryReadable(): boolean {
  const file = "/proc/sys/kernel/yama/ptrace_scope";
  return process.getuid!() === 0 || !existsSync(file) || readFileSync(file, "utf8").trim() === "0";
}

/** @throws with what it printed, where it does not begin to listen. */
export async function startTitled(kind: TitledKind): Promise<TitledServer> {
  const { command, ready, text, leaves }: Kind = titledKinds[kind];
  const folder = await mkdtemp(join(tmpdir(), "localhostess-titled-"));
  const name = uniqueName(kind.split(" ")[0]!);
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const argv = await command({ port: freePort(), folder });
    const shell = ["sh", "-c", `${argv.map(shellWord).join(" ")}; exit`];
    const server = await running(isMemoryReadable() ? argv : shell, {
      env: { NAME: name },
      cwd: folder,
      ready,
    });
    return {
      name,
      text,
      async [Symbol.asyncDispose]() {
        await server.end();
        if (leaves !== undefined) await endLeft(join(folder, leaves));
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function endLeft(file: string): Promise<void> {
  const pid = Number(await readFile(file, "utf8"));
  process.kill(pid, "SIGTERM");
  await eventually("its end", () => !existsSync(file));
}
