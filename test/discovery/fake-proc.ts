/** A folder that looks like /proc, with processes that a test makes, changes and ends. */
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type FakeProcess = {
  pid: number;
  /** Seconds after boot. */
  start?: number;
  parent?: number;
  group?: number;
  session?: number;
  /** It has a controlling terminal. */
  terminal?: boolean;
  /** Stands for the addresses that exec chooses anew. */
  stack?: number;
  comm?: string;
  environ?: string;
  cmdline?: string;
  cwd?: string;
  /** Descriptor -> what it is. */
  files?: Record<number, string>;
  /** Whose it is; ours unless said otherwise, which root alone may say. */
  uid?: number;
};

export class FakeProc {
  readonly root = mkdtempSync(join(tmpdir(), "localhostess-proc-"));

  constructor() {
    mkdirSync(join(this.root, "net"));
    writeFileSync(join(this.root, "stat"), "cpu 1 2 3\nbtime 1700000000\nprocesses 9\n");
    this.uptime(1000);
    this.listen({});
  }

  /** Seconds since boot. */
  uptime(seconds: number): void {
    writeFileSync(join(this.root, "uptime"), `${seconds}.00 12.00\n`);
  }

  /** The pid that was given last. */
  latest(pid: number): void {
    writeFileSync(join(this.root, "loadavg"), `0.10 0.20 0.30 1/234 ${pid}\n`);
  }

  /** Inode -> port, all on 127.0.0.1; `after` are rows of established connections. */
  listen(ports: Record<number, number>, { after = 0, uid = 1000 } = {}): void {
    const row = (port: number, state: string, inode: number) =>
      `   0: 0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 0 100 0 0 10 0\n`;
    const rows = Object.entries(ports).map(([inode, port]) => row(port, "0A", Number(inode)));
    const others = row(9999, "01", 1).repeat(after);
    writeFileSync(join(this.root, "net/tcp"), `  sl  local_address\n${rows.join("")}${others}`);
  }

  /** Starts it; under a pid that there is, another process takes that one's place. */
  put(process: FakeProcess): void {
    const folder = join(this.root, String(process.pid));
    this.end(process.pid);
    mkdirSync(join(folder, "fd"), { recursive: true });
    symlinkSync(process.cwd ?? "/", join(folder, "cwd"));
    for (const file of ["stat", "environ", "cmdline"]) writeFileSync(join(folder, file), "");
    this.change(process);
    if (process.uid !== undefined) chownSync(folder, process.uid, process.uid);
  }

  /** Changes what its files say; its folder stays the one it was, as procfs has it. */
  change(process: FakeProcess): void {
    const { pid, start = 1, parent = 0, group = pid, stack = 7, comm = "node" } = process;
    const folder = join(this.root, String(pid));
    const fields = new Array(49).fill("0");
    fields[0] = "S";
    fields[1] = String(parent);
    fields[2] = String(group);
    fields[3] = String(process.session ?? pid);
    fields[4] = process.terminal ? "34816" : "0";
    fields[19] = String(start * 100);
    fields[25] = String(stack);
    writeFileSync(join(folder, "stat"), `${pid} (${comm}) ${fields.join(" ")}\n`);
    writeFileSync(join(folder, "environ"), process.environ ?? "");
    writeFileSync(join(folder, "cmdline"), process.cmdline ?? "");
    for (const old of readdirSync(join(folder, "fd"))) rmSync(join(folder, "fd", old));
    for (const [descriptor, target] of Object.entries(process.files ?? {})) {
      symlinkSync(target, join(folder, "fd", descriptor));
    }
  }

  end(pid: number): void {
    rmSync(join(this.root, String(pid)), { recursive: true, force: true });
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
