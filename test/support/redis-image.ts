/** Debian's Redis and busybox -> an image like the official one, in an engine: no registry is asked. */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ContainerEngine } from "./container-engine.ts";

/** The official one also changes to another user, for which busybox has no program. */
const entrypoint =
  '#!/bin/sh\nset -e\n[ "${1#-}" != "$1" ] && set -- redis-server "$@"\nexec "$@"\n';

/** `name`: `redis:7`. */
export async function redisImage(engine: ContainerEngine, name: string): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "localhostess-image-"));
  try {
    const server = "/usr/bin/redis-server";
    const said = Bun.spawnSync(["ldd", server]).stdout.toString();
    const libraries = [...said.matchAll(/(?:=> |^\s+)(\/\S+) \(/gm)].map(([, path]) => path!);
    for (const path of [server, ...libraries]) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      copyFileSync(path, join(root, path));
      chmodSync(join(root, path), 0o755);
    }
    for (const folder of ["bin", "data", "usr/local/bin", "tmp"]) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    copyFileSync(
      Bun.which("busybox", { PATH: `${process.env.PATH}:/bin:/usr/bin` })!,
      join(root, "bin/busybox"),
    );
    chmodSync(join(root, "bin/busybox"), 0o755);
    for (const program of ["sh", "id", "find", "cat"])
      symlinkSync("busybox", join(root, "bin", program));
    writeFileSync(join(root, "usr/local/bin/docker-entrypoint.sh"), entrypoint, { mode: 0o755 });
    const tar = new Uint8Array(Bun.spawnSync(["tar", "-c", "."], { cwd: root }).stdout);
    const changes = [
      "ENV PATH=/usr/local/bin:/usr/bin:/bin",
      ...["WORKDIR /data", "VOLUME /data", "EXPOSE 6379"],
      ...['ENTRYPOINT ["docker-entrypoint.sh"]', 'CMD ["redis-server"]'],
    ];
    const query = new URLSearchParams([
      ["fromSrc", "-"],
      ...changes.map((change): [string, string] => ["changes", change]),
    ]);
    const made = await engine.api("POST", `/images/create?${query}`, tar);
    const id = /"status":"(sha256:[0-9a-f]{64})"/.exec(made)![1]!;
    const [repo, tag] = name.split(":");
    await engine.api("POST", `/images/${id}/tag?repo=docker.io/library/${repo}&tag=${tag}`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
