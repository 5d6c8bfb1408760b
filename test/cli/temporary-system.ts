/**
 * A home, a state directory and a root of their own -> the environment and the flags of commands that must not
 * touch this machine's.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { type CliOptions, cli, type Ended, type Env } from "./cli.ts";

export interface TemporarySystem extends AsyncDisposable {
  home: string;
  root: string;
  stateDirectory: string;
  env: Env;
  run(args: readonly string[], options?: CliOptions): Promise<Ended>;
  /** What programs of this system would trust. */
  bundle(): Promise<string>;
}

/** Whatever this machine's programs are told to trust is not what is tested. */
const inherited = [
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "REQUESTS_CA_BUNDLE",
  "NODE_EXTRA_CA_CERTS",
  "DENO_CERT",
  "JAVA_TOOL_OPTIONS",
  "XDG_DATA_HOME",
  "XDG_CONFIG_HOME",
  "XDG_STATE_HOME",
  "SUDO_UID",
  "http_proxy",
  "https_proxy",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "ALL_PROXY",
  "all_proxy",
  "NO_PROXY",
  "no_proxy",
];

/** A Debian as far as trust goes: its command is a script that does as much as is looked at. */
export async function temporarySystem(): Promise<TemporarySystem> {
  const directory = await mkdtemp(join(tmpdir(), "localhostess-system-"));
  const [home, root] = [join(directory, "home"), join(directory, "root")];
  const stateDirectory = join(directory, "state");
  const folder = join(root, "usr/local/share/ca-certificates");
  const bundle = join(root, "etc/ssl/certs/ca-certificates.crt");
  const program = join(root, "usr/sbin/update-ca-certificates");
  for (const path of [home, folder, join(bundle, ".."), join(program, "..")]) {
    await mkdir(path, { recursive: true });
  }
  await writeFile(bundle, "");
  await writeFile(program, `#!/bin/sh\ncat "${folder}"/*.crt > "${bundle}" 2>/dev/null || :\n`, {
    mode: 0o755,
  });
  const env: Env = {
    ...Object.fromEntries(inherited.map((name) => [name, undefined])),
    HOME: home,
    LOCALHOSTESS_STATE_DIR: stateDirectory,
    // Bun's own, which it would make anew in every home.
    BUN_RUNTIME_TRANSPILER_CACHE_PATH: join(homedir(), ".bun/install/cache/@t@"),
  };
  return {
    home,
    root,
    stateDirectory,
    env,
    run: (args, options = {}) =>
      cli([...args, "--root", root], { ...options, env: { ...env, ...options.env } }),
    bundle: () => readFile(bundle, "utf8"),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
