/** A process with so many descriptors left -> why it can start no service, as lines of JSON. */
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { supervise } from "../../src/supervisor/service/lifecycle.ts";
import { machine } from "../../src/supervisor/service/machine.ts";
import { plainEnv } from "./children.ts";
import { specOf } from "./fake-lifecycle.ts";

if (import.meta.main) {
  const [port, ...counts] = process.argv.slice(2).map(Number);
  const folder = mkdtempSync(join(tmpdir(), "few-"));
  const its = machine({ platform: process.platform, folder: join(folder, "n"), report() {} });
  its.start({ takesOver: false });
  for (const left of counts) {
    for (const pty of [true, false]) {
      const told = Promise.withResolvers<{ state: string; why: string | undefined }>();
      const service = supervise(specOf({ command: "exec sleep 100", pty, startTimeout: 100_000 }), {
        project: "p",
        domain: "p.localhost",
        directory: "/tmp",
        effects: its.effects,
        onChange({ state, why }) {
          if (state !== "starting") told.resolve({ state, why });
        },
        onOutput() {},
        onMembers() {},
        say() {},
        lastLines: () => [],
      });
      const held = exhaust(left);
      service.start({ shell: plainEnv, port: port!, url: "http://x.localhost", trust: {} });
      const { state, why } = await told.promise;
      for (const descriptor of held) closeSync(descriptor);
      await service.dispose();
      console.log(JSON.stringify({ left, pty, state, why }));
    }
  }
  its.stop({ handsOver: false });
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}

/** All descriptors but so many. */
function exhaust(left: number): number[] {
  const held: number[] = [];
  try {
    for (;;) held.push(openSync("/dev/null", "r"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EMFILE") throw error;
  }
  for (const descriptor of held.splice(0, left)) closeSync(descriptor);
  return held;
}
