/** An engine of a test -> a builder image in it, made on the spot, whose lifecycle is our own program. */
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { textArchive } from "../../src/containers/build/text-archive.ts";
import type { ContainerEngine } from "./container-engine.ts";

/** Its only buildpack, which its own order does not name. */
export const ownBuildpack = { id: "tests/page", version: "1.0.0" } as const;

const detect = `#!/bin/sh
[ -f page ] || exit 100
`;

/** A layer that is made once for each content of the file `lock`, and a web server. */
const build = `#!/bin/sh
[ -f broken ] && { echo "the page is broken"; exit 7; }
layer=$1/deps
if [ -f $layer/lock ] && cmp -s lock $layer/lock
then echo "deps are used again"
else mkdir -p $layer; cp lock $layer/lock; echo "deps are made"
fi
printf '[types]\\nlaunch = true\\ncache = true\\n' > $layer.toml
for name in WORD FROM_FILE HTTP_PROXY CNB_REGISTRY_AUTH; do eval "echo $name is \\$$name."; done
{ cat page; cat $layer/lock; } > index.html
cat > $1/launch.toml <<END
[[processes]]
type = "web"
command = ["/bin/sh", "-c", "exec httpd -f -p \\$PORT -h /workspace"]
default = true
END
`;

/** The run image is the engine's `shop/run:1`, and the builder `shop/builder:1`. */
export async function builderImage(engine: ContainerEngine): Promise<void> {
  const root = join(engine.folder, "builder");
  cpSync(join(engine.folder, "image"), root, { recursive: true, verbatimSymlinks: true });
  for (const name of ["cmp", "cp", "mkdir", "printf"])
    symlinkSync("busybox", join(root, "bin", name));
  const creator = join(root, "cnb/lifecycle/creator");
  mkdirSync(dirname(creator), { recursive: true });
  const source = join(import.meta.dir, "creator.ts");
  const words = ["build", "--compile", "--minify", source, "--outfile", creator];
  const compiled = Bun.spawnSync([process.execPath, ...words], {
    cwd: engine.folder,
    stderr: "pipe",
  });
  if (!compiled.success) throw new Error(compiled.stderr.toString());
  for (const path of librariesOf(creator)) cpSync(path, join(root, path), { dereference: true });
  const { id, version } = ownBuildpack;
  const bin = join(root, "cnb/buildpacks", id.replace("/", "_"), version, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "detect"), detect, { mode: 0o755 });
  writeFileSync(join(bin, "build"), build, { mode: 0o755 });
  const order = '[[order]]\n[[order.group]]\nid = "tests/other"\nversion = "1"\n';
  writeFileSync(join(root, "cnb/order.toml"), order);
  for (const name of ["workspace", "layers", "tmp"])
    mkdirSync(join(root, name), { recursive: true });
  const tar = Bun.spawnSync(["tar", "-c", "."], { cwd: root });
  const labels = {
    "io.buildpacks.builder.metadata": {
      images: [{ image: "shop/run:1", mirrors: [] }],
      buildpacks: [ownBuildpack],
    },
    "io.buildpacks.lifecycle.apis": { platform: { deprecated: [], supported: ["0.9", "0.13"] } },
  };
  const imported = await engine.api("POST", "/images/create?fromSrc=-", new Uint8Array(tar.stdout));
  const image = /"status":"(sha256:[0-9a-f]{64})"/.exec(imported)![1]!;
  const lines = Object.entries(labels).map(
    ([name, value]) => `LABEL ${name}=${JSON.stringify(JSON.stringify(value))}`,
  );
  const env = "ENV CNB_USER_ID=1001 CNB_GROUP_ID=1000 PATH=/bin";
  const Dockerfile = `FROM ${image}\n${env}\n${lines.join("\n")}\n`;
  // Engines read the changes of an import each in their own way, and Podman looks for short names at one registry.
  const built = await engine.api(
    "POST",
    "/build?t=docker.io/shop/builder:1",
    textArchive({ Dockerfile }),
  );
  if (built.includes("errorDetail")) throw new Error(built);
  rmSync(root, { recursive: true });
  await engine.image("shop/run:1", ["ENV PATH=/bin"]);
}

/** Absolute paths of what the system's loader loads for it, and of the loader. */
function librariesOf(program: string): string[] {
  const { stdout } = Bun.spawnSync(["ldd", program]);
  return stdout
    .toString()
    .split("\n")
    .flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
