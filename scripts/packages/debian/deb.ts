/** A platform's program and the documents -> a package for Debian, with the same bytes wherever it is made. */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { unitName, unitText } from "../../../src/boot/unit-text.ts";
import type { Documents } from "../documents.ts";
import { type Files, fill, setTimes } from "../folder.ts";
import type { Platform } from "../platforms.ts";
import { programPaths, type Program } from "../program.ts";
import { run } from "../run.ts";
import { changelog, control, copyright, overrides } from "./control.ts";

export type DebOptions = {
  platform: Platform;
  program: Program;
  documents: Documents;
  version: string;
  /** Seconds since 1970, of all files. */
  epoch: number;
  license: string;
  /** Where the .deb is written. */
  out: string;
  /** For files on the way. */
  work: string;
  /** Much quicker, and larger. */
  quick?: boolean;
};

const libexec = "usr/libexec/localhostess";
const doc = "usr/share/doc/localhostess";

/** @returns the path of the .deb. */
export async function deb(options: DebOptions): Promise<string> {
  const { platform, program, version, epoch, out, work, quick = false } = options;
  const root = join(work, `deb-${platform.id}`);
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  const files = installed(options);
  const own = Object.keys(programPaths(program)).map((path) => path.replace(/^libexec\//, ""));
  const programs = ["usr/bin/localhostess", ...own.map((name) => `${libexec}/${name}`)];
  await fill(root, { files, programs });
  const size = await kibibytes(root);
  const scripts = ["postinst", "postrm"] as const;
  await fill(join(root, "DEBIAN"), {
    files: {
      control: control({ version, architecture: platform.debian!, size }),
      md5sums: await md5sums(root, Object.keys(files)),
      ...Object.fromEntries(
        scripts.map((name) => [name, { from: join(import.meta.dir, name) }] as const),
      ),
    },
    programs: scripts,
  });
  await setTimes(root, epoch);
  const path = join(out, `localhostess_${debianVersion(version)}_${platform.debian}.deb`);
  // One thread: with more of them, xz cuts its input into blocks.
  const packing = quick ? ["-Znone"] : ["-Zxz", "--threads-max=1"];
  await run(["dpkg-deb", "--root-owner-group", ...packing, "--build", root, path], {
    cwd: work,
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
  });
  await rm(root, { recursive: true, force: true });
  return path;
}

/** A version before another one, as in 1.0.0-rc.1, has a tilde in Debian's order. */
export function debianVersion(version: string): string {
  return version.replace("-", "~");
}

function installed({ program, documents, version, epoch, license }: DebOptions): Files {
  const { executable, libexec: helpers = {} } = program;
  const { pages, completions } = documents;
  const manual = Object.entries(pages).map(
    ([name, text]) => [`usr/share/man/man1/${name}.gz`, zipped(text)] as const,
  );
  const own = Object.entries(helpers).map(
    ([name, from]) => [`${libexec}/${name}`, { from }] as const,
  );
  return {
    "usr/bin/localhostess": { from: executable },
    ...Object.fromEntries(own),
    ...Object.fromEntries(manual),
    "usr/share/bash-completion/completions/localhostess": completions.bash,
    "usr/share/zsh/vendor-completions/_localhostess": completions.zsh,
    "usr/share/fish/vendor_completions.d/localhostess.fish": completions.fish,
    [`usr/lib/systemd/user/${unitName}`]: unitText({ program: "/usr/bin/localhostess" }),
    [`${doc}/copyright`]: copyright(license),
    [`${doc}/changelog.gz`]: zipped(changelog({ version: debianVersion(version), epoch })),
    "usr/share/lintian/overrides/localhostess": overrides,
  };
}

/** As `gzip -n -9` does: without a name and a time. */
function zipped(text: string): Uint8Array {
  return Bun.gzipSync(Buffer.from(text), { level: 9 });
}

async function md5sums(root: string, paths: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const path of [...paths].sort()) {
    const hash = new Bun.CryptoHasher("md5").update(await readFile(join(root, path)));
    lines.push(`${hash.digest("hex")}  ${path}\n`);
  }
  return lines.join("");
}

/** As dpkg-gencontrol counts: files in whole KiB, and one for each folder. */
async function kibibytes(root: string): Promise<number> {
  const all = await readdir(root, { recursive: true, withFileTypes: true });
  let sum = 1;
  for (const its of all) {
    const { size } = Bun.file(join(its.parentPath, its.name));
    sum += its.isDirectory() ? 1 : Math.ceil(size / 1_024);
  }
  return sum;
}
