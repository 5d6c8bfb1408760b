/** A framework's name into a real server of it, which runs an app with a form, a redirect and a session. */
import { chmod, cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type ProgramName, whereIs } from "./debian.ts";
import { eventually } from "./eventually.ts";
import { type Running, running } from "./running.ts";
import { freePort, uniqueName } from "./servers.ts";

const fixtures = resolve(import.meta.dir, "../e2e/fixtures/frameworks");
const modules = resolve(import.meta.dir, "../../node_modules");
const node = Bun.which("node") ?? "node";

/** The Python that has a module: Debian's own has those of Debian's packages, and need not be the first of the path. */
export function pythonWith(module: string): string {
  const all = ["/usr/bin/python3", "python3"].filter((program) => Bun.which(program) !== null);
  const has = (program: string): boolean =>
    Bun.spawnSync([program, "-c", `import ${module}`], { stderr: "ignore" }).success;
  return all.find(has) ?? "python3";
}

/** `folder`: a copy of the fixtures' folder of that name, or an empty one. */
type Place = { port: number; folder: string };

type Framework = {
  needs: readonly ProgramName[];
  command(place: Place): readonly string[] | Promise<readonly string[]>;
  ready: RegExp;
  env?: Record<string, string>;
};

const all = {
  "Bun's welcome page": {
    needs: [],
    command: ({ port }) => [process.execPath, join(fixtures, "bun-welcome.ts"), String(port)],
    ready: /listening/,
  },
  "Python's CGI server": {
    needs: ["python3"],
    command: ({ port }) => ["python3", "-u", "-m", "http.server", "--cgi", String(port)],
    ready: /Serving HTTP on \S+ port \d+/,
  },
  Django: {
    needs: ["django-admin"],
    command: ({ port }) => [
      pythonWith("django"),
      "-u",
      join(fixtures, "django_app.py"),
      String(port),
    ],
    ready: /Starting development server/,
  },
  Flask: {
    needs: ["flask"],
    command: ({ port }) => [
      pythonWith("flask"),
      "-u",
      join(fixtures, "flask_app.py"),
      String(port),
    ],
    ready: /Running on/,
  },
  "PHP's server": {
    needs: ["php"],
    command: ({ port, folder }) => [
      "php",
      "-S",
      `127.0.0.1:${port}`,
      "-t",
      folder,
      join(fixtures, "php/index.php"),
    ],
    ready: /started/,
  },
  nginx: {
    needs: ["nginx"],
    // In a child of the shell: nginx writes its title over its environment, and the shell's has the name too.
    command: async ({ port, folder }) => {
      await writeFile(join(folder, "nginx.conf"), nginxSettings(port, folder));
      const program = `${whereIs("nginx")} -e stderr -c ${join(folder, "nginx.conf")}`;
      return ["sh", "-c", `${program}; exit`];
    },
    ready: /start worker process|using the .* event method/,
  },
  Rails: {
    needs: ["rails", "puma"],
    command: ({ port }) => [
      "sh",
      "-c",
      `puma -q -b tcp://127.0.0.1:${port} ${join(fixtures, "config.ru")}; exit`,
    ],
    ready: /Use Ctrl-C to stop/,
  },
  Next: {
    needs: ["node"],
    command: async ({ port, folder }) => {
      await symlink(modules, join(folder, "node_modules"));
      return [node, join(modules, "next/dist/bin/next"), "dev", "-p", String(port)];
    },
    ready: /Ready in/,
    env: { NEXT_TELEMETRY_DISABLED: "1" },
  },
} satisfies Record<string, Framework>;

export type FrameworkName = keyof typeof all;

export const frameworks: Readonly<Record<FrameworkName, Framework>> = all;

/** What has a folder of its own among the fixtures. */
const folders: Partial<Record<FrameworkName, string>> = {
  "Python's CGI server": "cgi",
  nginx: "nginx",
  Next: "next",
};

function nginxSettings(port: number, folder: string): string {
  return `
    daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr notice;
    events {}
    http {
      access_log off;
      default_type text/html;
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
      uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      gzip on; gzip_min_length 0;
      server { listen 127.0.0.1:${port}; root ${folder}; }
    }`;
}

export interface FrameworkServer extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** What it has printed of late. */
  output(): string;
}

/** @throws with what it printed, where it does not begin to listen. */
export async function startFramework(framework: FrameworkName): Promise<FrameworkServer> {
  const { command, ready, env = {} } = frameworks[framework];
  const name = uniqueName(framework.split(/\W/)[0]!);
  const folder = await mkdtemp(join(tmpdir(), "localhostess-framework-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  const fixture = folders[framework];
  // Python's server runs scripts as nobody where it is root's.
  await chmod(folder, 0o755);
  if (fixture !== undefined) await cp(join(fixtures, fixture), folder, { recursive: true });
  for (let attempt = 1; ; attempt++) {
    try {
      const place = { port: freePort(), folder };
      const server: Running = await running(await command(place), {
        env: { NAME: name, ...env },
        cwd: folder,
        ready,
      });
      // Most say that they are ready a moment before they are.
      await eventually(`${framework} accepts connections`, () => accepts(place.port));
      return {
        name,
        port: place.port,
        output: server.output,
        async [Symbol.asyncDispose]() {
          await server.end();
          await remove();
        },
      };
    } catch (error) {
      // Somebody has taken the port since it was free.
      if (attempt < 3 && /in use/i.test(String(error))) continue;
      await remove();
      throw error;
    }
  }
}

async function accepts(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    // Refused: it does not listen yet.
    return false;
  }
}
