/** What teaches a system's resolver the names under localhost, by what is on the system; the commands work. */
import { afterEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { resolverRemedy } from "../../src/cli/shared/resolver-remedy.ts";

const made: string[] = [];

afterEach(async () => {
  for (const root of made.splice(0)) await rm(root, { recursive: true, force: true });
});

async function system(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "localhostess-root-"));
  made.push(root);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

const remedyOn = async (files: Record<string, string>, platform: NodeJS.Platform = "linux") =>
  resolverRemedy({ platform, root: await system(files) }, ["api.localhost", "b.localhost"]);

const debian = 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12"\n';
const hosts = "passwd: files\nhosts:          files dns\nnetworks: files\n";
const module = "usr/lib/x86_64-linux-gnu/libnss_myhostname.so.2";
const edit = "sudo sed -i 's/^\\(hosts:.*files\\)/\\1 myhostname/' /etc/nsswitch.conf";
const line = "echo '127.0.0.1 api.localhost b.localhost' | sudo tee -a /etc/hosts";

test.each([
  ["Debian", "ID=debian", "sudo apt-get install libnss-myhostname"],
  ["Ubuntu", "ID=ubuntu\nID_LIKE=debian", "sudo apt-get install libnss-myhostname"],
  ["Fedora", "ID=fedora", `sudo dnf install systemd-libs; then: ${edit}`],
  ["Arch", "ID=arch", `sudo pacman -S systemd-libs; then: ${edit}`],
  ["openSUSE", "ID=opensuse-tumbleweed", `sudo zypper install nss-myhostname; then: ${edit}`],
  ["another", "ID=other", `install nss-myhostname; then: ${edit}`],
])("%s: the package, and what its package does not do by itself", async (_, release, remedy) => {
  expect(await remedyOn({ "etc/os-release": `${release}\n`, "etc/nsswitch.conf": hosts })).toBe(
    remedy,
  );
});

test("where the module is there and is not asked, only the line is changed", async () => {
  const files = { "etc/os-release": debian, "etc/nsswitch.conf": hosts, [module]: "" };
  expect(await remedyOn(files)).toBe(edit);
});

test("where it is asked and is not there, only the package is missing", async () => {
  const files = {
    "etc/os-release": "ID=arch\n",
    "etc/nsswitch.conf": "hosts: files myhostname dns\n",
  };
  expect(await remedyOn(files)).toBe("sudo pacman -S systemd-libs");
});

test("where nothing of it helps, the hosts file does", async () => {
  const both = { "etc/nsswitch.conf": "hosts: files myhostname dns\n", [module]: "" };
  expect(await remedyOn(both)).toBe(line);
  const alpine = { "etc/os-release": "ID=alpine\n" };
  expect(await remedyOn(alpine)).toBe(line);
  // As images have it for Go.
  expect(await remedyOn({ ...alpine, "etc/nsswitch.conf": "hosts: files dns\n" })).toBe(line);
  expect(await remedyOn({}, "darwin")).toBe(line);
});

test.each([
  ["hosts:          files dns", "hosts:          files myhostname dns"],
  ["hosts: files", "hosts: files myhostname"],
  [
    "hosts: files mdns4_minimal [NOTFOUND=return] dns",
    "hosts: files myhostname mdns4_minimal [NOTFOUND=return] dns",
  ],
  ["hosts: dns", "hosts: dns myhostname"],
])("the line %j becomes %j by the command, and no other line changes", async (before, after) => {
  const text = (its: string) => `passwd: files\n# hosts: files\n${its}\nnetworks: files\n`;
  const root = await system({ "etc/nsswitch.conf": text(before), [module]: "" });
  const remedy = await resolverRemedy({ platform: "linux", root }, []);
  const path = join(root, "etc/nsswitch.conf");
  const command = remedy.replace("sudo ", "").replace("/etc/nsswitch.conf", path);
  expect(Bun.spawnSync(["sh", "-c", command]).exitCode).toBe(0);
  expect(await readFile(path, "utf8")).toBe(text(after));
});
