/** One other machine, played by a script in the place of ssh. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Machine } from "../../src/remote/machine.ts";
import type { State } from "../../src/remote/states.ts";
import { eventually } from "../support/eventually.ts";
import { FakeClock } from "../support/fake-clock.ts";

let folder: string;
let clock: FakeClock;
let notes: string[];
let machine: Machine;
let pids: Set<number>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "localhostess-ssh-"));
  clock = new FakeClock();
  notes = [];
  pids = new Set();
});

afterEach(async () => {
  await machine.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** `session`: sh, in the place of the session. It finds the nonce in `$nonce`, and each look with `next`. */
function played(session: string, { forward = "exit 1" } = {}): Machine {
  writeFileSync(
    join(folder, "ssh"),
    `#!/bin/sh
case " $* " in *" -O "*) ${forward} ;; esac
echo x >>${folder}/starts
read -r first
nonce=\${first#nonce=}
say() { echo "$nonce $*"; }
next() { while read -r line; do case $line in "look "[0-9]*) set -- $line; number=$2; return;; esac; done; exit 0; }
${session}
`,
  );
  chmodSync(join(folder, "ssh"), 0o755);
  machine = new Machine({
    name: "box",
    host: "me@box",
    source: "kept",
    clock,
    random: () => 0.5,
    folder: () => folder,
    env: () => ({ PATH: `${folder}:/usr/bin:/bin` }),
    pids,
    onChange() {},
    note: (text) => notes.push(text),
  });
  return machine;
}

const becomes = (state: State) => eventually(`it is ${state}`, () => machine.state === state);

function starts(): number {
  const file = join(folder, "starts");
  return existsSync(file) ? readFileSync(file, "utf8").length / 2 : 0;
}

/** As the daemon does while it is in use. */
function pass(seconds: number, used = true): void {
  for (let left = seconds; left > 0; left--) {
    clock.advance(1_000);
    machine.tick({ used });
  }
}

const row = "0100007F 0BB8 10 1 10 100\\t\\tapi\\t\\t/srv\\tbun dev";
const answering = `
while next; do
  say begin $number
  printf '%s at ${row}\\n' "$nonce"
  say end $number
done`;

/** Makes a socket for each -L, as ssh does. */
const forwarding = `
  while [ $# -gt 0 ]; do
    [ "$1" = -L ] && ${process.execPath} -e "Bun.listen({ unix: process.argv[1].split(':')[0], socket: { data() {} } }); process.exit()" "$2"
    shift
  done
  exit 0`;

describe("a machine that answers", () => {
  test("has its services once their sockets are open, and loses them with the connection", async () => {
    played(answering, { forward: forwarding });
    expect(machine.claims()).toEqual([]);
    await machine.known();
    expect(machine.claims()).toMatchObject([
      {
        name: "api.box",
        source: "remote",
        because: "a server on box (me@box), port 3000",
        place: { kind: "socket", path: join(folder, "box-3000") },
      },
    ]);
    expect(machine.report()).toMatchObject({ state: "up", by: "script" });
    const { pid } = machine.report();
    process.kill(pid!, "SIGKILL");
    await becomes("backing off");
    expect(machine.claims()).toEqual([]);
    expect(existsSync(join(folder, "box-3000"))).toBe(false);
    expect(notes).toEqual(["box (me@box): the connection ended"]);
    // It comes back after a second, and its services with it.
    pass(2);
    await machine.known();
    expect(machine.claims()).toHaveLength(1);
  });

  test("looks again for a request right behind a look, a tenth of a second later, and once for all of them", async () => {
    played(`while next; do echo $line >>${folder}/looks; say begin $number; say end $number; done`);
    await machine.known();
    const looks = () => readFileSync(join(folder, "looks"), "utf8").trim().split("\n");
    expect(looks()).toEqual(["look 1 whole"]);
    const waiting = [1, 2, 3].map(() => machine.known());
    clock.advance(99);
    await Bun.sleep(0);
    expect(looks()).toHaveLength(1);
    clock.advance(1);
    await Promise.all(waiting);
    expect(looks()).toEqual(["look 1 whole", "look 2 whole"]);
    clock.advance(1_000);
    await machine.known();
    expect(looks()).toHaveLength(3);
    // While nobody asks, it looks every three seconds, and only for what has changed.
    pass(3);
    await eventually("it looks", () => looks().length === 4);
    expect(looks()[3]).toBe("look 4 if-changed");
  });

  test("is looked at again before a request, once nobody has used it for a while", async () => {
    played(answering, { forward: forwarding });
    await machine.known();
    expect(machine.isFresh).toBe(true);
    pass(7, false);
    expect([machine.state, machine.isFresh]).toEqual(["up", false]);
    await machine.known();
    expect(machine.isFresh).toBe(true);
  });

  test("is not connected to before anybody uses localhostess, and is left when nobody does", async () => {
    played("exit 255");
    pass(100, false);
    expect([machine.state, starts()]).toEqual(["idle", 0]);
    pass(1);
    await becomes("backing off");
    pass(5, false);
    expect(machine.state).toBe("idle");
    expect(starts()).toBe(1);
  });

  test("whose sockets cannot be made says so, and has no names", async () => {
    played(answering, { forward: "echo 'mux_client: no' >&2; exit 255" });
    await machine.known();
    expect([machine.state, machine.claims()]).toEqual(["up", []]);
    expect(machine.report().notes).toEqual([
      "127.0.0.1:3000 there cannot be reached: mux_client: no",
    ]);
  });

  test("that forbids connections to its servers says which setting does", async () => {
    const complaint = "channel 2: open failed: administratively prohibited: open failed";
    played(answering.replace("say end", `echo '${complaint}' >&2; say end`));
    await machine.known();
    await eventually("it is told", () =>
      machine.report().notes.some((note) => note.includes("AllowTcpForwarding")),
    );
  });
});

describe("a machine that has another program called localhostess", () => {
  test("is asked without that", async () => {
    played(
      `while read -r line; do
        set -- $line
        [ "$1" = look ] || continue
        echo "$line" >>${folder}/looks
        say begin $2
        if [ "$4" = alone ]; then printf '%s at ${row}\\n' "$nonce"; else say json $2 Usage: localhostess; fi
        say end $2
      done`,
      { forward: forwarding },
    );
    await machine.known();
    expect(machine.claims().map(({ name }) => name)).toEqual(["api.box"]);
    expect(machine.report().by).toBe("script");
    expect(readFileSync(join(folder, "looks"), "utf8")).toBe("look 1 whole\nlook 2 whole alone\n");
  });

  test("and one that never gives a list is asked no more than any other", async () => {
    played(
      `while next; do echo x >>${folder}/looks; say begin $number; say json $number []x; say end $number; done`,
    );
    await machine.known();
    expect([machine.state, machine.claims()]).toEqual(["up", []]);
    expect(readFileSync(join(folder, "looks"), "utf8")).toBe("x\nx\n");
  });
});

describe("a machine that does not", () => {
  test("is asleep after half a minute, and tried again later and later", async () => {
    played("exec sleep 100");
    machine.on("used");
    pass(29);
    expect(machine.state).toBe("connecting");
    pass(1);
    expect([machine.state, machine.report().why]).toEqual([
      "asleep",
      "nothing comes back from it (30 s): it may be asleep, off, or out of reach",
    ]);
    pass(5);
    expect(machine.state).toBe("connecting");
    pass(30);
    pass(9);
    expect(machine.state).toBe("asleep");
    pass(1);
    expect(machine.state).toBe("connecting");
    // One line for it all.
    expect(notes).toHaveLength(1);
  });

  test("is asleep four seconds after a look that nobody answers, and twenty after a half answer", async () => {
    played(`next; say begin $number; say end $number; exec sleep 100`);
    await machine.known();
    pass(3);
    expect(machine.state).toBe("up");
    pass(4);
    expect(machine.state).toBe("asleep");

    played(`next; say begin $number; printf '%s at ${row}\\n' "$nonce"; exec sleep 100`);
    machine.on("used");
    await becomes("up");
    pass(19);
    expect([machine.state, machine.claims()]).toEqual(["up", []]);
    pass(1);
    expect(machine.state).toBe("asleep");
  });

  test("lets go of those who wait when the connection ends in the middle of an answer", async () => {
    played(`next; say begin $number; printf '%s at ${row.slice(0, 9)}' "$nonce"; exit 255`);
    await machine.known();
    expect([machine.state, machine.claims()]).toEqual(["backing off", []]);
  });

  test("does not hold a request while it waits for its next turn", async () => {
    played("exit 255");
    await machine.known();
    expect([machine.state, starts()]).toEqual(["backing off", 1]);
    await machine.known();
    expect(starts()).toBe(1);
    clock.advance(2_000);
    await machine.known();
    expect(starts()).toBe(2);
  });

  test("that refuses us is asked by nobody for half an hour, except where a person says so", async () => {
    played("echo 'me@box: Permission denied (publickey).' >&2; exit 255");
    await machine.known();
    expect([machine.state, machine.report().fix]).toEqual([
      "refused",
      expect.stringContaining("ssh-add"),
    ]);
    await machine.known();
    machine.on("woken");
    pass(29 * 60);
    expect(starts()).toBe(1);
    machine.on("told");
    await becomes("refused");
    expect(starts()).toBe(2);
    pass(30 * 60);
    await eventually("it is tried", () => starts() === 3);
  });

  test("is asked again at once, without options that are too new for ssh", async () => {
    const says = "command-line: line 0: Bad configuration option: forkafterauthentication";
    played(`case $* in *ForkAfterAuthentication*) echo "${says}" >&2; exit 255 ;; esac
      next; say begin $number; say end $number; next`);
    const known = machine.known();
    await becomes("up");
    await known;
    expect([starts(), notes]).toEqual([2, []]);
  });

  test("is refused where there is no ssh, or no place for its sockets", async () => {
    played("exit 0");
    rmSync(join(folder, "ssh"));
    machine = new Machine({
      ...{ name: "box", host: "box", source: "kept" as const, clock, random: () => 0.5 },
      folder: () => folder,
      env: () => ({ PATH: folder }),
      pids,
      onChange() {},
      note: (text) => notes.push(text),
    });
    machine.on("used");
    clock.advance(0);
    expect([machine.state, machine.report().why]).toEqual([
      "refused",
      "there is no ssh in the PATH of the daemon",
    ]);
  });
});

describe("a machine that says too much", () => {
  test("gives one sign of life for each look, however often it does", async () => {
    played(
      `next; say begin $number; until [ -e ${folder}/go ]; do sleep 0.01; done
      say begin $number; echo 'administratively prohibited' >&2; exec sleep 100`,
    );
    machine.on("used");
    await becomes("up");
    pass(19);
    writeFileSync(join(folder, "go"), "");
    await eventually("it has said so", () => machine.report().notes.length > 0);
    pass(1);
    expect(machine.state).toBe("asleep");
  });

  test("in one endless line is left alone", async () => {
    played("exec tr '\\\\0' x </dev/zero");
    machine.on("used");
    await becomes("connecting");
    await eventually("it is left", () => machine.state !== "connecting");
    expect(machine.report().why).toContain("more than any list of servers");
  });

  test("in endless lines, of ours or not, or in errors, is left alone", async () => {
    const floods = [`exec yes "$nonce at ${row}"`, "exec yes x", "exec yes x >&2"];
    for (const flood of floods) {
      played(`next; say begin $number; ${flood}`);
      machine.on("used");
      await becomes("refused");
      expect(machine.report().why).toContain("more than any list of servers");
    }
  });

  test("before its first word, and beside it, is understood all the same", async () => {
    played(
      `echo "Welcome!"; printf 'half a line'; echo; yes 'an error' | head -n 20000 >&2${answering}`,
      {
        forward: forwarding,
      },
    );
    await machine.known();
    expect(machine.claims()).toHaveLength(1);
  });

  test("that answers twice, or what nobody asked, changes nothing", async () => {
    played(
      `next; say begin $number; say end 99; printf '%s at ${row}\\n' "$nonce"; say end $number; say end $number; say same 7; next`,
      { forward: forwarding },
    );
    await machine.known();
    expect([machine.state, machine.claims().length]).toEqual(["up", 1]);
  });
});

test("a machine that is removed ends its ssh, and one that is removed twice is gone once", async () => {
  played("exec sleep 100");
  machine.on("used");
  const { pid } = machine.report();
  await Promise.all([machine.stop(), machine.stop()]);
  expect(machine.state).toBe("removed");
  expect(() => process.kill(pid!, 0)).toThrow();
  machine.on("told");
  expect([machine.state, machine.report().pid]).toEqual(["removed", undefined]);
});
