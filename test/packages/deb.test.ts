/** The package for Debian: installed, upgraded, removed and purged for real, in a system that is thrown away. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deb, type DebOptions } from "../../scripts/packages/debian/deb.ts";
import { documents } from "../../scripts/packages/documents.ts";
import { helperNames } from "../../scripts/packages/program.ts";
import { platforms } from "../../scripts/packages/platforms.ts";
import { lacking, whereIs } from "../support/debian.ts";
import { ended } from "../support/ended.ts";

const epoch = 1_700_000_000;
/** Milliseconds: dpkg waits for the disk after each file, on a machine that does other things too. */
const patience = 200_000;
const needs = ["dpkg-deb", "setcap", "perl"] as const;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "localhostess-deb-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** Scripts stand in for the programs: dpkg does the same with them, in a hundredth of the time. */
async function made(version: string, folder: string): Promise<string> {
  const [out, work] = [join(directory, folder), join(directory, folder, "work")];
  await mkdir(work, { recursive: true });
  const executable = join(work, "program");
  await writeFile(executable, `#!/bin/sh\necho ${version}\n`);
  await chmod(executable, 0o700);
  const options: DebOptions = {
    ...{
      version,
      epoch,
      out,
      work,
      license: "MIT License\n\nPermission is granted.\n",
      quick: true,
    },
    platform: platforms.find(
      (its) => its.debian === (process.arch === "arm64" ? "arm64" : "amd64"),
    )!,
    program: {
      executable,
      libexec: Object.fromEntries(helperNames.map((name) => [name, executable])),
    },
    documents: await documents({ version, epoch }),
  };
  return await deb(options);
}

const lacks = lacking([...needs]);

describe.skipIf(lacks !== "")(`the package for Debian${lacks}`, () => {
  test("the same input gives the same bytes, whatever the umask and the folder", async () => {
    const before = process.umask(0o077);
    const first = await made("1.0.0", "first").finally(() => process.umask(before));
    const second = await made("1.0.0", "second/below");
    expect(await Bun.file(first).bytes()).toEqual(await Bun.file(second).bytes());
  });

  test("its files are root's, with modes of their kind, and none has more rights than that", async () => {
    const path = await made("1.0.0", "listed");
    const { out } = await ended([whereIs("dpkg-deb")!, "-c", path], { env: process.env, cwd: "/" });
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/\s+/));
    for (const [mode, owner, , , , name] of rows) {
      expect(owner).toBe("root/root");
      const isProgram = /bin\/localhostess$|libexec\/localhostess\/./.test(name!);
      const wanted = name!.endsWith("/") ? "drwxr-xr-x" : isProgram ? "-rwxr-xr-x" : "-rw-r--r--";
      expect([name, mode]).toEqual([name, wanted]);
    }
    const names = rows.map((its) => its[5]!);
    for (const file of [
      "usr/bin/localhostess",
      "usr/libexec/localhostess/localhostess-helper",
      "usr/lib/systemd/user/localhostess.service",
      "usr/share/man/man1/localhostess-up.1.gz",
      "usr/share/bash-completion/completions/localhostess",
      "usr/share/zsh/vendor-completions/_localhostess",
      "usr/share/fish/vendor_completions.d/localhostess.fish",
      "usr/share/doc/localhostess/copyright",
    ]) {
      expect(names).toContain(`./${file}`);
    }
  });

  test("a version before 1.0.0 is older for dpkg as well", async () => {
    const path = await made("1.0.0-rc.1", "early");
    expect(path).toEndWith(
      `localhostess_1.0.0~rc.1_${process.arch === "arm64" ? "arm64" : "amd64"}.deb`,
    );
  });
});

/**
 * A system whose lower layer is this machine, and whose upper one is memory: dpkg changes the upper one alone. `$1` is
 * the folder with the packages, `$2` the script that runs in that system.
 */
const throwaway = `set -e
top=$(mktemp -d "$1/top.XXXXXX")
mount -t tmpfs tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" "$top/root"
mount --rbind /proc "$top/root/proc"
mount --rbind /dev "$top/root/dev"
mount --bind "$1" "$top/root/mnt"
printf '127.0.0.1 localhost\\n' >"$top/root/etc/hosts"
chroot "$top/root" /bin/sh -ec "$2"
echo "== left"
cd "$top/upper"
# dpkg's own records and logs, and the folders above them that the machine has as well.
find . -mindepth 1 ! -path './var/lib/dpkg*' ! -path './var/log*' ! -path ./etc/hosts | while read -r path; do
  [ -d "$path" ] && [ -d "/$path" ] || echo "$path"
done
`;

async function throughSystem(script: string): Promise<Map<string, string>> {
  const { code, out, err } = await ended(
    ["unshare", "-m", "--propagation", "private", "sh", "-c", throwaway, "sh", directory, script],
    { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", DEBIAN_FRONTEND: "noninteractive" }, cwd: "/" },
  );
  if (code !== 0) throw new Error(`${out}${err}`);
  // Each part begins with a line of its name.
  const parts = out.split(/^== /m).slice(1);
  return new Map(
    parts.map((part) => {
      const [name = "", ...lines] = part.trimEnd().split("\n");
      return [name, lines.join("\n")];
    }),
  );
}

/** Whether this user may make such a system. */
function mayMount(): boolean {
  if (process.getuid?.() !== 0 || lacks !== "") return false;
  const words = ["unshare", "-m", "--propagation", "private", "true"];
  return Bun.spawnSync(words).success;
}

const folder = "/usr/libexec/localhostess";
const install = (path: string) => `dpkg --no-triggers -i /mnt/${path} >/dev/null 2>&1 || exit 3`;
const block = (uid: number) =>
  `# BEGIN localhostess ${uid}\n127.0.0.1 a.test\n::1 a.test\n# END localhostess ${uid}`;

describe.skipIf(!mayMount())("in a system that is thrown away", () => {
  let [older, newer] = ["", ""];

  beforeAll(async () => {
    const within = (path: string) => path.slice(directory.length + 1);
    older = within(await made("1.0.0", "older"));
    newer = within(await made("1.0.1", "newer"));
  });

  test(
    "installed, set up, upgraded, removed and purged, it leaves nothing",
    async () => {
      const said = await throughSystem(`
      ${install(older)}
      echo "== installed"; localhostess version; getcap ${folder}/*; stat -c %a ${folder}/localhostess-hosts
      # What localhostess setup --hosts does.
      dpkg-statoverride --update --add root root 4755 ${folder}/localhostess-hosts
      mkdir -m 755 /etc/localhostess
      echo "1000 ports hosts" >/etc/localhostess/users
      touch /etc/localhostess/domains /etc/localhostess/hosts.lock
      printf '%s\\n' '${block(1000)}' '10.0.0.1 mine' '${block(0)}' >>/etc/hosts
      ${install(newer)}
      echo "== upgraded"; localhostess version; getcap ${folder}/*; stat -c %a ${folder}/localhostess-hosts
      cat /etc/localhostess/users; grep -c BEGIN /etc/hosts
      dpkg --no-triggers -r localhostess >/dev/null 2>&1
      echo "== removed"; ls ${folder} 2>&1 | grep -c localhostess- || true; cat /etc/localhostess/users
      echo "== hosts"; cat /etc/hosts
      dpkg --no-triggers -P localhostess >/dev/null 2>&1
      echo "== purged"; dpkg-statoverride --list '*localhostess*' || true
      ls -d /etc/localhostess ${folder} 2>/dev/null || true
    `);
      const cap = `${folder}/localhostess-helper cap_net_bind_service=ep`;
      expect(said.get("installed")).toBe(`1.0.0\n${cap}\n755`);
      expect(said.get("upgraded")).toBe(`1.0.1\n${cap}\n4755\n1000 ports hosts\n2`);
      expect(said.get("removed")).toBe("0\n1000 ports hosts");
      expect(said.get("hosts")).toBe("127.0.0.1 localhost\n10.0.0.1 mine");
      expect(said.get("purged")).toBe("");
      expect(said.get("left")).toBe("");
    },
    patience,
  );

  test(
    "a hosts file keeps every other byte: no newline at its end, and blocks that are torn",
    async () => {
      const remove = "dpkg --no-triggers -P localhostess >/dev/null 2>&1";
      const torn = `${block(7)}\n# BEGIN localhostess 8\n127.0.0.1 b.test\n10.0.0.2 theirs\n`;
      const said = await throughSystem(`
      ${install(older)}
      mkdir /etc/localhostess
      printf '%s\\n%s' 'first line' '${block(1)}' >/etc/hosts
      chmod 640 /etc/hosts
      ${remove}
      echo "== whole"; od -An -c /etc/hosts | tr -d ' \\n'; echo; stat -c %a /etc/hosts
      ${install(older)}
      printf '%s' '${torn}' >/etc/hosts
      ${remove}
      echo "== torn"; cat /etc/hosts
    `);
      expect(said.get("whole")).toBe("firstline\n640");
      expect(said.get("torn")).toBe(torn.trimEnd());
      expect(said.get("left")).toBe("");
    },
    patience,
  );

  test(
    "where the hosts file is a mount of its own, as in containers, the block goes as well",
    async () => {
      const said = await throughSystem(`
      ${install(older)}
      mount -t tmpfs tmpfs /srv
      printf '%s\\n' 'first' '${block(1)}' 'last' >/srv/hosts
      mount --bind /srv/hosts /etc/hosts
      dpkg --no-triggers -P localhostess >/dev/null 2>&1
      echo "== hosts"; cat /etc/hosts; ls -A /etc | grep -c hosts.localhostess || true
      umount /etc/hosts /srv
    `);
      expect(said.get("hosts")).toBe("first\nlast\n0");
      expect(said.get("left")).toBe("");
    },
    patience,
  );
});
