/** `attach` in real terminals: tmux has one for each person, on a socket of its own. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttachNews } from "../../src/control/commands/attach-dialogue.ts";
import { type Conversing, converse } from "../../src/control/found/conversation.ts";
import { shellCommand } from "../../src/text/shell-words.ts";
import { command } from "../cli/cli.ts";
import { eventually } from "../support/eventually.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { describeWith } from "../support/with-programs.ts";

const patience = 120_000;

const asking = `
import sys
print("hello", flush=True)
while True:
    name = input("Name? ")
    print("hello " + name, flush=True)
`;

const toml = `
[project]
name = "talk"
[services.ask]
type = "worker"
command = "exec python3 ask.py"
[services.size]
type = "worker"
command = "trap 'stty size' WINCH; stty size; while :; do sleep 0.1; done"
[services.deaf]
type = "worker"
command = "stty raw -echo; trap 'stty size' WINCH; stty size; while :; do sleep 0.1; done"
[services.page]
type = "worker"
command = "exec less -S text"
[services.pipes]
type = "worker"
pty = false
command = "while read line; do echo got $line; done; echo closed"
[services.flood]
type = "worker"
command = "read go; yes 'a line that is printed again and again'"
[services.down]
type = "worker"
command = "sleep 60"
disabled = true
[services.pair]
type = "worker"
instances = 2
command = "sleep 60"
disabled = true
[services.once]
type = "task"
command = "read how; exit $how"
disabled = true
[services.short]
type = "worker"
restart = "no"
command = "read how; exit $how"
`;

let place: ProjectPlace;
let directory: string;

beforeAll(async () => {
  place = await projectPlace();
  directory = await place.project("talk", toml);
  await place.write(join(directory, "ask.py"), asking);
  const text = Array.from({ length: 300 }, (_, at) => `row ${at + 1} of the text`).join("\n");
  await place.write(join(directory, "text"), text);
  expect((await place.up(directory)).at(-1)).toBe("Ok");
}, patience);

afterAll(async () => {
  await place?.[Symbol.asyncDispose]();
}, patience);

/** One person at the socket. */
class Person implements Disposable {
  readonly news: AttachNews[] = [];
  text = "";
  failure: string | undefined;
  isOver = false;
  readonly conversation: Conversing;

  constructor(socket: string, input: { name: string; size?: { cols: number; rows: number } }) {
    this.conversation = converse(
      socket,
      { Attach: input },
      {
        hear: (value) => {
          const its = value as AttachNews & { error?: { message: string } };
          if (its.error !== undefined) this.failure = its.error.message;
          else if ("output" in its) this.text += Buffer.from(its.output, "base64").toString();
          else this.news.push(its);
        },
        ended: () => {
          this.isOver = true;
        },
      },
    );
  }

  type(text: string): void {
    this.conversation.say({ input: Buffer.from(text).toString("base64") });
  }

  async sees(text: string): Promise<void> {
    await eventually(`${text} in ${JSON.stringify(this.text.slice(-300))}`, () =>
      this.text.includes(text),
    );
  }

  [Symbol.dispose](): void {
    this.conversation.end();
  }
}

async function person(name: string, size?: { cols: number; rows: number }): Promise<Person> {
  const found = await place.daemon.find();
  if (found.kind !== "healthy") throw new Error(found.kind);
  return new Person(found.registration.socket, size === undefined ? { name } : { name, size });
}

test(
  "two who are attached see the same, both may type, and the smaller terminal's size is the size",
  async () => {
    using one = await person("talk:size", { cols: 100, rows: 30 });
    await one.sees("30 100");
    using two = await person("talk:size", { cols: 140, rows: 20 });
    await one.sees("20 100");
    await two.sees("20 100");
    two.conversation.say({ resize: { cols: 90, rows: 50 } });
    await one.sees("30 90");
    two.conversation.end();
    await eventually("the size of the one who stays", () => one.text.trimEnd().endsWith("30 100"));
    one.conversation.end();
    using three = await person("talk:size");
    await three.sees("40 120");
  },
  patience,
);

test(
  "a prompt is seen by who comes later, and what one types is in both terminals and the log",
  async () => {
    using one = await person("talk:ask");
    await one.sees("Name? ");
    one.type("Bob\n");
    await one.sees("hello Bob");
    using two = await person("talk:ask");
    await two.sees("hello Bob\r\nName? ");
    two.type("Eve\n");
    await one.sees("hello Eve");
    expect(await place.logs("talk:ask")).toContain("hello Eve");
    await eventually("the prompt in the log", async () => {
      const lines = await place.lines<{ message: string; open?: true }>({
        Logs: { services: ["talk:ask"], mode: "snapshot" },
      });
      return lines.some(({ message, open }) => open === true && message === "Name? ");
    });
  },
  patience,
);

test(
  "one who reads nothing holds nobody up, and gets the end of it",
  async () => {
    using slow = await person("talk:flood");
    using quick = await person("talk:flood");
    await eventually("both are there", () => slow.news.length > 0 && quick.news.length > 0);
    slow.conversation.pause();
    quick.type("go\n");
    await eventually("much is printed", () => quick.text.length > 8_000_000, 60_000);
    slow.conversation.resume();
    await eventually("the slow one goes on", () => slow.news.some((its) => "skipped" in its));
    expect(quick.isOver || slow.isOver).toBe(false);
    await place.send({ Stop: { name: "talk:flood" } });
  },
  patience,
);

test(
  "a service with pipes reads what is typed, and its standard input stays open without anybody",
  async () => {
    using one = await person("talk:pipes");
    one.type("one\n");
    await one.sees("got one");
    expect(one.news[0]).toEqual({ attached: "talk:pipes", terminal: false });
    one.conversation.end();
    expect(await place.logs("talk:pipes")).not.toContain("closed");
    expect((await place.row("talk:pipes")).state).toBe("ready");
  },
  patience,
);

test(
  "who types what the service does not read is not read, and has left when the connection is gone",
  async () => {
    using one = await person("talk:deaf", { cols: 33, rows: 11 });
    await one.sees("11 33");
    for (let at = 0; at < 100; at++) one.type("x".repeat(60_000));
    using two = await person("talk:deaf", { cols: 100, rows: 30 });
    await two.sees("11 33");
    one.conversation.end();
    await two.sees("30 100");
  },
  patience,
);

test(
  "who is attached hears of the end and of the next process, and stays for it",
  async () => {
    using one = await person("talk:short", { cols: 70, rows: 10 });
    await eventually("it is there", () => one.news.length > 0);
    one.type("3\n");
    await eventually("the end is told", () =>
      one.news.some((its) => "state" in its && its.pid === null),
    );
    expect(one.news.at(-1)).toMatchObject({ why: "ended with exit code 3" });
    await place.up(directory, { services: ["short"] });
    await eventually("the next one is told", () =>
      one.news.some((its) => "state" in its && its.state === "ready"),
    );
    one.type("0\n");
    await eventually("it has read that", () =>
      one.news.some(
        (its) => "state" in its && its.state === "exited" && its.why?.endsWith("0") === true,
      ),
    );
  },
  patience,
);

test(
  "who is attached to a task leaves when it is completed, and is told how to run it again",
  async () => {
    const run = place.daemon.run("up", "talk:once", "--no-wait");
    expect((await run).code).toBe(0);
    const child = Bun.spawn(command("attach", "talk:once"), {
      env: { ...process.env, ...place.daemon.env } as Record<string, string>,
      stdin: "pipe",
      stdout: "ignore",
      stderr: "pipe",
    });
    child.stdin.write("0\n");
    await child.stdin.flush();
    // Its input stays open: only the end of the task ends it.
    expect(await child.exited).toBe(0);
    expect(await new Response(child.stderr).text()).toEndWith("talk:once is completed\n");
    expect(await place.daemon.run("attach", "talk:once")).toMatchObject({
      code: 1,
      err: "localhostess: talk:once is completed; run it again with: localhostess up talk:once\n",
    });
  },
  patience,
);

test(
  "what cannot be attached to, or is no line of the protocol, is refused with a sentence",
  async () => {
    using stopped = await person("talk:down");
    using project = await person("talk");
    using unknown = await person("talk:nobody");
    for (const one of [stopped, project, unknown]) {
      await eventually("it is refused", () => one.isOver && one.failure !== undefined);
    }
    expect(stopped.failure).toContain("talk:down is stopped");
    expect(project.failure).toContain("talk is a project");
    using wrong = await person("talk:ask");
    await eventually("it is there", () => wrong.news.length > 0);
    wrong.conversation.say({ resize: { cols: 0, rows: 70_000 } });
    await eventually("it is refused", () => wrong.isOver);
    expect(wrong.failure).toContain("a line is");
    expect(await place.daemon.run("attach", "talk:pair")).toMatchObject({
      code: 1,
      err: "localhostess: talk:pair has instances; attach to one: talk:pair-1, talk:pair-2\n",
    });
    const ended = await place.daemon.run("attach", "talk:down");
    expect(ended).toMatchObject({
      code: 1,
      err: "localhostess: talk:down is stopped; start it with: localhostess up talk:down\n",
    });
  },
  patience,
);

test(
  "input that is not from a terminal is sent as it is",
  async () => {
    const all = command("attach", "talk:pipes");
    const child = Bun.spawn(all, {
      env: { ...process.env, ...place.daemon.env } as Record<string, string>,
      stdin: Buffer.from("piped\n"),
      stdout: "ignore",
      stderr: "pipe",
    });
    expect(await child.exited).toBe(0);
    expect(await new Response(child.stderr).text()).toBe("localhostess: sent to talk:pipes\n");
    await eventually("it was read", async () =>
      (await place.logs("talk:pipes")).includes("got piped"),
    );
  },
  patience,
);

describeWith(["tmux", "less", "python3"])("in a terminal", () => {
  let folder: string;
  let count = 0;
  const socket = `localhostess-${crypto.randomUUID().slice(0, 8)}`;

  async function tmux(...words: string[]): Promise<string> {
    const child = Bun.spawn(["tmux", "-f", "/dev/null", "-L", socket, ...words], {
      env: {
        PATH: process.env.PATH!,
        TMUX_TMPDIR: folder,
        TERM: "xterm-256color",
        LC_ALL: "C.UTF-8",
      },
      stdout: "pipe",
      stderr: "ignore",
    });
    const text = await new Response(child.stdout).text();
    await child.exited;
    return text;
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lh-tmux-"));
  });

  afterAll(async () => {
    await tmux("kill-server");
    rmSync(folder, { recursive: true, force: true });
  });

  /** A shell of a person, in a terminal of its own. */
  async function terminal(cols: number, rows: number) {
    const name = `t${count++}`;
    const env = Object.entries(place.daemon.env).map(([key, value]) => `${key}=${value}`);
    const shell = `exec env ${env.join(" ")} PS1='ready> ' sh`;
    await tmux("new-session", "-d", "-s", name, "-x", String(cols), "-y", String(rows), shell);
    const screen = () => tmux("capture-pane", "-p", "-t", name);
    const sees = async (text: string | RegExp) => {
      let last = "";
      await eventually(`${text} on the screen`, async () => {
        last = await screen();
        return typeof text === "string" ? last.includes(text) : text.test(last);
      }).catch((error: Error) => {
        throw new Error(`${error.message}\n${last}`);
      });
    };
    await sees("ready>");
    return {
      screen,
      sees,
      type: (text: string) => tmux("send-keys", "-t", name, "-l", text),
      key: (...keys: string[]) => tmux("send-keys", "-t", name, ...keys),
      resize: (x: number, y: number) =>
        tmux("resize-window", "-t", name, "-x", String(x), "-y", String(y)),
      attach: (...words: string[]) =>
        tmux("send-keys", "-t", name, shellCommand(command("attach", ...words)), "Enter"),
    };
  }

  test(
    "a prompt is answered, Ctrl-] leaves, the terminal is as it was, and one may come back",
    async () => {
      const one = await terminal(100, 24);
      await one.type("stty -g > /dev/null; stty -a | grep -o ' -*icanon\\| -*echo ' | tr -d '\\n'");
      await one.key("Enter");
      await one.sees(" icanon echo");
      await one.type("printf '\\033c'");
      await one.key("Enter");
      await one.attach("talk:ask");
      await one.sees("attached to talk:ask; Ctrl-] leaves");
      await one.sees("Name?");
      await one.type("Ann");
      await one.key("Enter");
      await one.sees("hello Ann");
      await one.key("C-]");
      await one.sees("left talk:ask, which goes on");
      await one.type("printf '\\033c'");
      await one.key("Enter");
      await one.type("stty -a | grep -o ' -*icanon\\| -*echo ' | tr -d '\\n'");
      await one.key("Enter");
      await one.sees(" icanon echo");
      await one.attach("talk:ask");
      await one.sees(/hello Ann\n(?:.*\n)*Name\?/);
      await one.key("C-]");
      await one.sees("left talk:ask");
    },
    patience,
  );

  test(
    "a full-screen program is drawn for who comes, moves by keys, and fits a terminal that is resized",
    async () => {
      const one = await terminal(80, 20);
      await one.attach("talk:page");
      await one.sees("row 19 of the text");
      // less loses a key that is there when it is told of its size (it leaves read(2) by longjmp): press it again.
      const press = (key: string, shows: (screen: string) => boolean) =>
        eventually(`${key} is obeyed`, async () => {
          await one.key(key);
          return shows(await one.screen());
        });
      await press("G", (screen) => screen.includes("row 300 of the text"));
      await one.resize(80, 12);
      await press("g", (screen) =>
        /^row 1 of the text\n(?:.*\n)*row 11 of the text\s*:?\s*$/.test(screen),
      );
      expect(await one.screen()).not.toContain("row 13 of the text");
      await one.key("C-]");
      await one.sees("left talk:page");
      // The screen of before is back.
      expect(await one.screen()).toContain("attach");
      await one.attach("talk:page");
      await one.sees("row 11 of the text");
      await one.key("C-]");
      expect(await place.logs("talk:page")).toEqual([
        "[localhostess] a full-screen program is not logged; to see it: localhostess attach talk:page",
      ]);
    },
    patience,
  );

  test(
    "Ctrl-C goes to the service, and its end is told",
    async () => {
      const one = await terminal(80, 20);
      await place.up(directory, { services: ["short"] });
      await one.attach("talk:short");
      await one.sees("attached to talk:short");
      await one.key("C-c");
      await one.sees(/talk:short (is failed|has ended|restarts)/);
      await one.sees("ready>");
    },
    patience,
  );

  test(
    "in the monitor, a attaches to the service that is selected, and Ctrl-] goes back",
    async () => {
      const one = await terminal(80, 24);
      await one.type(shellCommand(command("monitor", "--all")));
      await one.key("Enter");
      await one.sees("a attach");
      await one.sees("Name?");
      await one.key("a");
      await one.sees("attached to talk:ask");
      await one.type("Monica");
      await one.key("Enter");
      await one.sees("hello Monica");
      await one.key("C-]");
      await one.sees("a attach");
      await one.key("q");
      await one.sees("ready>");
    },
    patience,
  );
});
