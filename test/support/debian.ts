/**
 * Programs that tests run -> where they are; what is missing is installed from Debian's packages where that was asked
 * for.
 */

/** Program -> the package it is in. `npm install` has brought everything else. */
export const packages = {
  certutil: "libnss3-tools",
  chromium: "chromium",
  clang: "clang libclang-rt-14-dev",
  "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
  busybox: "busybox-static",
  curl: "curl",
  "django-admin": "python3-django",
  dockerd: "docker.io",
  "dpkg-deb": "dpkg",
  firefox: "firefox-esr",
  fish: "fish",
  flask: "python3-flask",
  gunicorn: "gunicorn python3-setproctitle",
  ip: "iproute2",
  lsof: "lsof",
  "musl-gcc": "musl-tools",
  mariadbd: "mariadb-server-core",
  my_print_defaults: "mariadb-client-core",
  nghttp: "nghttp2-client",
  nginx: "nginx",
  openssl: "openssl",
  perl: "perl",
  php: "php-cli",
  newuidmap: "uidmap",
  podman: "podman",
  pg_ctl: "postgresql-15",
  ps: "procps",
  psql: "postgresql-client-15",
  puma: "puma",
  readelf: "binutils",
  setcap: "libcap2-bin",
  "redis-server": "redis-server",
  rails: "ruby-railties ruby-actioncable",
  rootlesskit: "rootlesskit",
  runc: "runc",
  slirp4netns: "slirp4netns",
  less: "less",
  ssh: "openssh-client",
  sshd: "openssh-server",
  python3: "python3",
  tmux: "tmux",
  zsh: "zsh",
} as const;

export type ProgramName = keyof typeof packages | "node";

/** Other names and places of a program that will do. */
const otherwise: Partial<Record<ProgramName, readonly string[]>> = {
  nginx: ["/usr/sbin/nginx"],
  setcap: ["/usr/sbin/setcap", "/sbin/setcap"],
  mariadbd: ["/usr/sbin/mariadbd"],
  pg_ctl: ["/usr/lib/postgresql/15/bin/pg_ctl"],
  sshd: ["/usr/sbin/sshd"],
  chromium: [
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ],
  firefox: ["firefox-esr", "/Applications/Firefox.app/Contents/MacOS/firefox"],
};

/** Milliseconds: Chromium and what it depends on are some 100 MB. */
const longestInstallation = 600_000;

export function whereIs(program: ProgramName): string | undefined {
  for (const name of [program, ...(otherwise[program] ?? [])]) {
    const path = Bun.which(name);
    if (path !== null) return path;
  }
  return undefined;
}

/** For a test's title, empty where nothing is missing: ` (needs chromium)`. */
export function lacking(programs: readonly ProgramName[]): string {
  const missing = programs.filter((its) => whereIs(its) === undefined);
  return missing.length === 0 ? "" : ` (needs ${missing.join(" and ")})`;
}

export function missingPrograms(): readonly (keyof typeof packages)[] {
  return (Object.keys(packages) as (keyof typeof packages)[]).filter(
    (program) => whereIs(program) === undefined,
  );
}

/**
 * What has to stand in front of apt-get; undefined: nothing may be installed. A person's own machine is left
 * as it is unless they ask; CI asks by what every CI sets.
 */
export function installer(): readonly string[] | undefined {
  const { CI, LOCALHOSTESS_TEST_INSTALL } = process.env;
  if (![CI, LOCALHOSTESS_TEST_INSTALL].some((value) => value === "1" || value === "true")) {
    return undefined;
  }
  if (Bun.which("apt-get") === null) return undefined;
  if (process.getuid?.() === 0) return [];
  const sudo = Bun.which("sudo");
  if (sudo === null) return undefined;
  return Bun.spawnSync([sudo, "-n", "true"]).success ? [sudo, "-n"] : undefined;
}

/** Once per test run, before the first test file is read. Says in one line what stays missing. */
export async function ensurePackages(): Promise<void> {
  const missing = missingPrograms();
  if (missing.length === 0) return;
  const prefix = installer();
  const wanted = missing.map((program) => packages[program]).join(" ");
  if (prefix === undefined) {
    const how =
      Bun.which("apt-get") === null
        ? "install them"
        : `sudo apt-get install --no-install-recommends ${wanted}, or LOCALHOSTESS_TEST_INSTALL=1 as root or with sudo`;
    console.warn(`Tests that need ${missing.join(", ")} are skipped; to enable them: ${how}.`);
    return;
  }
  console.warn(`Installing what tests need: ${wanted}`);
  // The lock: several test runs may begin at once on one machine.
  const apt = [...prefix, "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"];
  const failed =
    (await failure([...apt, "-o", "Acquire::Retries=3", "update"])) ??
    (await failure([...apt, "-y", "--no-install-recommends", "install", ...wanted.split(" ")]));
  if (failed !== undefined) console.warn(failed);
}

async function failure(command: readonly string[]): Promise<string | undefined> {
  const child = Bun.spawn([...command], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    timeout: longestInstallation,
  });
  const [errors, code] = await Promise.all([child.stderr.text(), child.exited]);
  return code === 0 ? undefined : `${command.join(" ")} failed (${code}):\n${errors.slice(-2_000)}`;
}
