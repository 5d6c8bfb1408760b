/** A real engine of containers -> its API on a socket of its own, and everything that it has started, ended again. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  readdirSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { basename, join } from "node:path";
import { processNow } from "../../src/system/process-now.ts";
import { eventually } from "./eventually.ts";

export interface ContainerEngine {
  readonly socket: string;
  /** The folder with all that it writes. */
  readonly folder: string;
  /** @returns the id. Each port is `8080/tcp`, published on the address and at a port that the engine chooses. */
  run(name: string, wanted?: Wanted): Promise<string>;
  /** An image of the same files, by that name: `CMD ["httpd"]`, `EXPOSE 80`. */
  image(name: string, changes?: readonly string[]): Promise<void>;
  /** A request to its API. @throws where the answer is no 2xx. */
  api(method: string, path: string, body?: object): Promise<string>;
  /** The port at which one inside is published. */
  published(name: string, inside: number): Promise<number>;
  /** SIGSTOP and SIGCONT. */
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** Ends the engine as a fault would, at once. */
  kill(): Promise<void>;
  /** Kills it, and starts it again at its socket. Docker's containers die with it, and Podman's go on. */
  restart(): Promise<void>;
  /** Ends everything and removes it. */
  stop(): Promise<void>;
}

export type Wanted = {
  labels?: Record<string, string>;
  /** `8080`, `127.0.0.1:5432`, `8125/udp`. */
  ports?: readonly string[];
  /** The port that its web server listens on. Default: 8080. */
  listens?: number;
  network?: string;
  env?: readonly string[];
};

type Kind = {
  /** A command that runs until it is killed. */
  start(folder: string, socket: string): { command: string[]; env: Record<string, string> };
  /** The pid of the process that answers. */
  pid(folder: string, child: number): number;
  /** Ends containers that outlive their engine. */
  tidy?(folder: string): Promise<void>;
  network: string | undefined;
};

/** Both run as the user of the test, without a bridge or rules for packets: nothing of the machine is changed. */
const kinds = {
  docker: { start: rootlessDocker, pid: dockerPid, network: undefined },
  podman: { start: podman, pid: (_, child) => child, tidy: tidyPodman, network: "slirp4netns" },
} as const satisfies Record<string, Kind>;

/** Folders that Podman makes as root, whatever it is told. All engines of tests share them. */
const outside = ["/var/lib/containers", "/run/netns", "/run/libpod"];
/** A file for each Podman that runs for a test, with those that were not there before the first of them. */
const sharing = join(tmpdir(), `localhostess-podmans-${userInfo().uid}`);

/** Those that are to be removed by the last Podman that ends. */
function noteOutside(mark: string): readonly string[] {
  mkdirSync(sharing, { recursive: true });
  const noted = readdirSync(sharing).map((name) => readFileSync(join(sharing, name), "utf8"));
  const made = outside.filter(
    (path) => !existsSync(path) || noted.some((text) => text.split("\n").includes(path)),
  );
  writeFileSync(mark, made.join("\n"));
  return made;
}

/** Nothing, while another one runs. */
function removeOutside(mark: string, made: readonly string[]): void {
  rmSync(mark, { force: true });
  if (readdirSync(sharing).length > 0) return;
  for (const path of made) {
    // Podman mounts /run/netns upon itself.
    if (existsSync(path)) Bun.spawnSync(["umount", path], { stderr: "ignore" });
    rmSync(path, { recursive: true, force: true });
  }
  try {
    rmdirSync(sharing);
  } catch {
    // The next one has begun, or has removed it.
  }
}

/** For a test's title, empty where engines can run: machines without namespaces, such as some containers, have none. */
export function lackingNamespaces(): string {
  if (process.platform !== "linux") return " (needs Linux)";
  if (!existsSync("/dev/net/tun")) return " (needs /dev/net/tun)";
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? [] : ["--user", "--map-root-user"];
  const tried = Bun.spawnSync(["unshare", ...user, "--mount", "--pid", "--net", "--fork", "true"]);
  if (!tried.success) return " (needs the right to make namespaces)";
  const { username, uid } = userInfo();
  const ranges = existsSync("/etc/subuid") ? readFileSync("/etc/subuid", "utf8") : "";
  const hasRange = ranges
    .split("\n")
    .some((line) => [username, `${uid}`].includes(line.split(":")[0]!));
  return isRoot || hasRange ? "" : " (needs a range of ids in /etc/subuid)";
}

/** @throws with what it printed, where it does not start. */
export async function containerEngine(name: keyof typeof kinds): Promise<ContainerEngine> {
  const kind: Kind = kinds[name];
  // A socket's path has at most 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), "lh-"));
  const socket = join(folder, "docker.sock");
  const mark = join(sharing, basename(folder));
  const made = name === "podman" ? noteOutside(mark) : [];
  const log = join(folder, "log");
  const { command, env } = kind.start(folder, socket);
  writeFileSync(log, "");
  const begin = (): number => {
    const pid = apart(command, { env, folder, log });
    guard({ child: pid, folder, mark, made, env });
    return pid;
  };
  let child = begin();

  const api: ContainerEngine["api"] = async (method, path, body) => {
    const isBytes = body instanceof Uint8Array;
    const type = isBytes ? "application/x-tar" : "application/json";
    const answer = await fetch(`http://engine${path}`, {
      ...{ method, unix: socket, keepalive: false, headers: { "content-type": type } },
      ...(body === undefined ? {} : { body: isBytes ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
  };
  const hasEnded = () => processNow(child)?.zombie !== false;
  const ended = () => eventually(`${name} ends`, hasEnded);
  const ids: string[] = [];
  const isUp = () => api("GET", "/_ping").then(() => true, hasEnded);
  const stop = async () => {
    if (!hasEnded()) {
      for (const { Id } of JSON.parse(await api("GET", "/containers/json?all=true"))) {
        await api("DELETE", `/containers/${Id}?force=true`);
      }
      process.kill(kind.pid(folder, child), "SIGTERM");
    }
    await ended();
    await kind.tidy?.(folder);
    await removeGroups(["libpod_parent", ...ids]);
    if (name === "podman") removeOutside(mark, made);
    rmSync(folder, { recursive: true, force: true });
  };

  await eventually(`${name} answers`, isUp);
  if (hasEnded()) {
    const said = readFileSync(log, "utf8").slice(-2000);
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`${name} ended: ${said}`);
  }
  const tar = await busyboxImage(folder);
  const imported = await api("POST", "/images/create?fromSrc=-", tar);
  const image = /"status":"(sha256:[0-9a-f]{64})"/.exec(imported)![1]!;

  return {
    ...{ socket, folder, api, stop },
    async run(
      its,
      {
        labels = {},
        ports = ["8080"],
        listens = 8080,
        network = kind.network,
        env: variables = [],
      } = {},
    ) {
      const bindings = ports.map((text) => {
        const [, HostIp = "", port, protocol = "/tcp"] = /^(?:(.+):)?(\d+)(\/\w+)?$/.exec(text)!;
        return [`${port}${protocol}`, [{ HostIp, HostPort: "" }]] as const;
      });
      const created = await api("POST", `/containers/create?name=${its}`, {
        Image: image,
        Cmd: ["/bin/httpd", "-f", "-p", `${listens}`, "-h", "/www"],
        Labels: labels,
        Env: variables,
        ExposedPorts: Object.fromEntries(bindings.map(([port]) => [port, {}])),
        HostConfig: {
          PortBindings: Object.fromEntries(bindings),
          ...(network && { NetworkMode: network }),
        },
      });
      const { Id } = JSON.parse(created) as { Id: string };
      ids.push(Id);
      await api("POST", `/containers/${Id}/start`);
      return Id;
    },
    async image(its, changes = []) {
      const [repo, tag = "latest"] = its.split(":");
      const query = new URLSearchParams([
        ["fromSrc", "-"],
        ...changes.map((change): [string, string] => ["changes", change]),
      ]);
      const made = await api("POST", `/images/create?${query}`, tar);
      const id = /"status":"(sha256:[0-9a-f]{64})"/.exec(made)![1]!;
      // Podman looks for a short name among those of the usual registry.
      await api("POST", `/images/${id}/tag?repo=docker.io/${repo}&tag=${tag}`);
    },
    async published(its, inside) {
      const { NetworkSettings } = JSON.parse(await api("GET", `/containers/${its}/json`));
      return Number(NetworkSettings.Ports[`${inside}/tcp`][0].HostPort);
    },
    signal: (signal) => process.kill(kind.pid(folder, child), signal),
    async kill() {
      process.kill(kind.pid(folder, child), "SIGKILL");
      await ended();
    },
    async restart() {
      process.kill(kind.pid(folder, child), "SIGKILL");
      await ended();
      // What is left of the former one may still hold its folders.
      for (let attempt = 0; attempt === 0 || (hasEnded() && attempt < 10); attempt++) {
        for (const left of ["pid", "kit", "exec"]) {
          rmSync(join(folder, left), { recursive: true, force: true });
        }
        child = begin();
        await eventually(`${name} answers again`, isUp);
      }
    },
  };
}

/**
 * Starts a command that is no child of this process, at the head of a group of its own: when one test takes too long,
 * the runner ends all children there are, and the tests behind it would have no engine. @returns its pid.
 */
function apart(
  command: readonly string[],
  { env, folder, log = "/dev/null" }: { env: Record<string, string>; folder: string; log?: string },
): number {
  const script = 'setsid "$@" </dev/null >>/dev/null 2>>"$0" & echo $!';
  const { stdout } = Bun.spawnSync(["sh", "-c", script, log, ...command], {
    env: { ...env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    cwd: folder,
    stdin: "ignore",
    stderr: "ignore",
  });
  return Number(stdout.toString());
}

/**
 * Ends and removes everything within a second after this process has ended, in whatever way: engines and their
 * containers are no children of it. Leaves by itself where `stop` has done its work.
 */
function guard({
  child,
  folder,
  mark,
  made,
  env,
}: {
  child: number;
  folder: string;
  mark: string;
  made: readonly string[];
  env: Record<string, string>;
}): void {
  const script = `cd /
    while [ -d ${folder} ] && kill -0 ${process.pid}; do sleep 1; done
    [ -d ${folder} ] || exit 0
    kill -KILL -${child}
    [ -e ${folder}/storage.conf ] && podman rm --force --all --time=0
    rm -f ${mark}
    rmdir ${sharing} && for path in ${made.join(" ")}; do umount $path; rm -rf $path; done
    sleep 0.2
    rm -rf ${folder}`;
  apart(["sh", "-c", script], { env, folder });
}

/** In a pid namespace of its own, so that no container outlives its engine. */
function rootlessDocker(folder: string, socket: string): ReturnType<Kind["start"]> {
  for (const name of ["run", "data"]) mkdirSync(join(folder, name), { mode: 0o700 });
  const dockerd = [
    ...["dockerd", "--rootless", "--host", `unix://${socket}`],
    ...["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec")],
    ...["--pidfile", join(folder, "pid"), "--iptables=false", "--ip6tables=false"],
    ...["--oom-score-adjust=0", `--userland-proxy-path=${Bun.which("rootlesskit-docker-proxy")}`],
  ];
  const kit = [
    ...["rootlesskit", `--state-dir=${join(folder, "kit")}`, "--net=slirp4netns", "--mtu=65520"],
    ...["--disable-host-loopback", "--port-driver=builtin", "--copy-up=/etc", "--copy-up=/run"],
    ...["--propagation=rslave", "--pidns"],
    // The test's own process sees the pid of the outer namespace only here.
    ...[
      "sh",
      "-c",
      `rm -rf /run/docker /run/containerd /run/xtables.lock; exec ${dockerd.join(" ")}`,
    ],
  ];
  const env = { HOME: folder, XDG_RUNTIME_DIR: join(folder, "run") };
  if (process.getuid?.() !== 0) return { command: kit, env };
  // Root has no range of other users' ids in most systems' files; it gets one where nobody else sees it.
  const range = join(folder, "subid");
  writeFileSync(range, "root:100000:65536\n");
  const binds = ["/etc/subuid", "/etc/subgid"].map((file) => `mount --bind ${range} ${file}`);
  const script = `${binds.join(" && ")} && exec "$@"`;
  return { command: ["unshare", "--mount", "sh", "-c", script, "sh", ...kit], env };
}

/** The pid file has the number inside its namespace. */
function dockerPid(folder: string): number {
  const found = Bun.spawnSync([
    "pgrep",
    "-f",
    `^dockerd --rootless .*${folder}/`,
  ]).stdout.toString();
  return Number(found.split("\n")[0]);
}

function podman(folder: string, socket: string): ReturnType<Kind["start"]> {
  const env = podmanEnvironment(folder);
  mkdirSync(join(folder, ".config/containers"), { recursive: true });
  mkdirSync(join(folder, "run"), { mode: 0o700 });
  // Without plugins there are no bridges, which would be the machine's own.
  for (const name of ["none", "nets"]) mkdirSync(join(folder, name));
  writeFileSync(
    env.CONTAINERS_CONF!,
    `[containers]\ndefault_ulimits = []\nlog_driver = "k8s-file"\nnetns = "slirp4netns"\n[network]\ncni_plugin_dirs = ["${folder}/none"]\nnetwork_config_dir = "${folder}/nets"\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\nlock_type = "file"\n${["tmp_dir", "static_dir", "volume_path"].map((key) => `${key} = "${folder}/${key}"\n`).join("")}`,
  );
  writeFileSync(
    env.CONTAINERS_STORAGE_CONF!,
    `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/graph"\nrunroot = "${folder}/run/storage"\n`,
  );
  writeFileSync(
    join(folder, ".config/containers/policy.json"),
    '{"default":[{"type":"insecureAcceptAnything"}]}',
  );
  return { command: ["podman", "system", "service", "--time=0", `unix://${socket}`], env };
}

function podmanEnvironment(folder: string): Record<string, string> {
  return {
    HOME: folder,
    XDG_RUNTIME_DIR: join(folder, "run"),
    CONTAINERS_CONF: join(folder, "containers.conf"),
    CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
  };
}

/** Podman's containers are no children of the service, and go on without it. */
async function tidyPodman(folder: string): Promise<void> {
  const env = { ...podmanEnvironment(folder), PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  await Bun.spawn(["podman", "rm", "--force", "--all", "--time=0"], {
    ...{ env, cwd: folder, stdin: "ignore", stdout: "ignore", stderr: "ignore", detached: true },
  }).exited;
  endMonitors(folder);
}

/** Podman's monitors of commands in containers go on for five minutes after these. */
function endMonitors(folder: string): void {
  for (const pid of readdirSync("/proc").map(Number).filter(Boolean)) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "latin1");
      if (/conmon/.test(words.split("\0", 1)[0]!) && words.includes(folder))
        process.kill(pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Engines leave groups of processes behind that are empty; rmdir leaves those that another one uses. */
async function removeGroups(names: readonly string[]): Promise<void> {
  const wanted = names.flatMap((name) => ["-o", "-path", `*/${name}*`]).slice(1);
  const find = ["find", "/sys/fs/cgroup", "-maxdepth", "4", "-depth", "-type", "d"];
  // The last process of a group may still be ending.
  for (let attempt = 0; attempt < 20; attempt++) {
    Bun.spawnSync([...find, "(", ...wanted, ")", "-exec", "rmdir", "{}", ";"], {
      stderr: "ignore",
    });
    const left = Bun.spawnSync([...find, "(", ...wanted, ")"]).stdout.length > 0;
    if (!left) return;
    await Bun.sleep(25);
  }
}

const programs = ["sh", "httpd", "cat", "sleep", "echo", "nc", "env", "id", "pwd", "ls", "wget"];

/** An image of one program, made of Debian's busybox: no registry is asked. */
async function busyboxImage(folder: string): Promise<Uint8Array> {
  const root = join(folder, "image");
  mkdirSync(join(root, "bin"), { recursive: true });
  mkdirSync(join(root, "www"));
  const busybox = Bun.which("busybox", { PATH: `${process.env.PATH}:/bin:/usr/bin` })!;
  await Bun.write(join(root, "bin/busybox"), Bun.file(busybox));
  for (const name of programs) symlinkSync("busybox", join(root, "bin", name));
  writeFileSync(join(root, "www/index.html"), "from a container\n");
  const tar = Bun.spawnSync(["sh", "-c", "chmod 755 bin/busybox && tar -c ."], { cwd: root });
  return new Uint8Array(tar.stdout);
}
