/** Debian's archive -> the folders of a bare Debian 12, and over it one with the clients and two people. */
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ended } from "../../support/ended.ts";

export type LayerOptions = {
  /** Kept from one run to the next. */
  work: string;
  /** A Debian 12 that is there already, which is only read. */
  root: string | undefined;
  withChromium: boolean;
};

const bare =
  "ca-certificates,curl,python3-minimal,libcap2-bin,sudo,passwd,iproute2,procps,util-linux";

const clients = ["postgresql-15", "nodejs", "python3", "libnss3-tools"];

/** A version that Debian's Node can run; Debian's own comes with four hundred packages. */
const npm = "npm@10";

/** alice may become root, bob may not; a person's home has the files that every new home has. */
const people = `
useradd -m -s /bin/bash alice
useradd -m -s /bin/bash bob
echo 'alice ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/alice
chmod 440 /etc/sudoers.d/alice
`;

/**
 * Lines for sh, `$1`: below, `$2`: the new layer, `$3`: its scratch folder, `$4`: where they are seen as one, `$5`:
 * packages, `$6`: lines that run in it. apt is as on this machine, since it has to reach the same archive.
 */
const prepare = `
mount -t overlay -o "volatile,lowerdir=$1,upperdir=$2,workdir=$3" localhostess "$4"
cd "$4"
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs -o mode=1777 localhostess tmp
rm -rf etc/apt
cp -a /etc/apt etc/apt
cp -L /etc/resolv.conf /etc/hosts etc/
printf '#!/bin/sh\\nexit 101\\n' > usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
mkdir -p etc/postgresql-common
[ -e etc/postgresql-common/createcluster.conf ] ||
  echo 'create_main_cluster = false' > etc/postgresql-common/createcluster.conf
export DEBIAN_FRONTEND=noninteractive
quick="-q -y --no-install-recommends -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-unsafe-io"
chroot . apt-get -q update
chroot . apt-get $quick install $5
chroot . apt-get clean
printf '127.0.0.1\\tlocalhost throwaway\\n::1\\t\\tlocalhost\\n' > etc/hosts
chroot . sh -euc "$6"
`;

async function run(argv: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const { code, out, err } = await ended(argv, { env: { ...process.env, ...env }, cwd: "/" });
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}\n${out}\n${err}`);
}

/** @returns the folders, the upper one first. */
export async function layers(options: LayerOptions): Promise<string[]> {
  const { work, withChromium } = options;
  await mkdir(work, { recursive: true });
  const root = options.root ?? (await bootstrapped(work));
  const folders = [root];
  const wanted = [
    { name: "clients", packages: clients, lines: people },
    ...(withChromium ? [{ name: "chromium", packages: ["chromium"], lines: ":" }] : []),
  ];
  for (const { name, packages, lines } of wanted) {
    const [upper, scratch, seen, done] = ["upper", "scratch", "seen", "done"].map((its) =>
      join(work, name, its),
    ) as [string, string, string, string];
    if (!existsSync(done)) {
      // One that was not finished cannot be mounted again.
      await rm(join(work, name), { recursive: true, force: true });
      for (const folder of [upper, scratch, seen]) await mkdir(folder, { recursive: true });
      const script = ["unshare", "-m", "--propagation", "private", "sh", "-euc", prepare, "sh"];
      const places = [folders.join(":"), upper, scratch, seen];
      await run([...script, ...places, packages.join(" "), lines]);
      await writeFile(done, "");
    }
    folders.unshift(upper);
  }
  folders.unshift(await withNpm(work));
  return folders;
}

async function withNpm(work: string): Promise<string> {
  const [upper, done] = [join(work, "npm/upper"), join(work, "npm/done")];
  if (existsSync(done)) return upper;
  const [lib, bin] = [join(upper, "usr/local/lib/npm"), join(upper, "usr/local/bin")];
  for (const folder of [lib, bin]) await mkdir(folder, { recursive: true });
  await run(["npm", "pack", npm, "--pack-destination", join(work, "npm")]);
  const [tarball] = (await readdir(join(work, "npm"))).filter((name) => name.endsWith(".tgz"));
  const archive = join(work, "npm", tarball!);
  await run(["tar", "-xzf", archive, "-C", lib, "--strip-components=1", "--no-same-owner"]);
  await symlink("../lib/npm/bin/npm-cli.js", join(bin, "npm"));
  await writeFile(done, "");
  return upper;
}

async function bootstrapped(work: string): Promise<string> {
  const folder = join(work, "bare");
  if (existsSync(join(work, "bare.done"))) return folder;
  const words = ["--variant=minbase", `--include=${bare}`, "bookworm", folder];
  await run(["debootstrap", ...words], { DEBIAN_FRONTEND: "noninteractive" });
  await writeFile(join(work, "bare.done"), "");
  return folder;
}
