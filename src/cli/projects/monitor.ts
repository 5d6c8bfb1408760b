/** `localhostess monitor` -> a screen of services and their output, and keys that start and stop them. */
import { openMark, StandingLines } from "../../routes/standing-lines.ts";
import { othersText, rowsShown, type ShownRows } from "./here.ts";
import { attachTo } from "./attach.ts";
import { follower } from "./logs.ts";
import { takeTerminal } from "./keyboard.ts";
import { monitorScreen, type Picture } from "./monitor-screen.ts";
import { Failure } from "../shared/failure.ts";
import { type Flags, settingsOf } from "../shared/settings.ts";
import { wordsFor } from "../shared/daemon-answers.ts";
import { findRunning, troubleText } from "../shared/daemon-here.ts";
import { definedOf } from "../shared/defined.ts";
import { answerOf, carriedOut, type Row, rowsOf } from "./asking.ts";
import { noColors, type World } from "../shared/world.ts";

/** Milliseconds between looks at the daemon. */
const period = 500;
/** Milliseconds between two drawings; more would not be visible. */
const drawEvery = 40;
/** Lines of output that are kept; more than any screen has. */
const linesKept = 500;

const patience = 300_000;

export type MonitorFlags = Flags & { all?: boolean };

export async function monitor(flags: MonitorFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  if (world.out.columns() === undefined || !process.stdin.isTTY) {
    throw new Failure(
      "unsupported",
      "monitor requires a terminal; without one, use localhostess status or localhostess logs -f",
    );
  }
  // Before the screen is taken: a daemon of another version is mentioned, and one in trouble waited for.
  await findRunning(settings, { world });
  return await watch(world, {
    daemon: async () => {
      const found = await findRunning(settings);
      if (found.kind === "healthy") return { socket: found.registration.socket };
      const words = wordsFor(found, settings)!;
      return { why: words.alive ? troubleText(found, settings) : notRunning };
    },
    all: flags.all ?? false,
  });
}

const notRunning = "the daemon is not running";

type WatchOptions = {
  /** The socket of the daemon that runs now, or why there is none. */
  daemon(): Promise<{ socket: string } | { why: string }>;
  all: boolean;
};

async function watch(world: World, { daemon, all }: WatchOptions): Promise<number> {
  const picture: Picture = {
    rows: [],
    selected: 0,
    lines: [],
    notice: "",
    others: "asking the daemon",
  };
  const shownOf = async (rows: readonly Row[]): Promise<ShownRows> =>
    all ? { rows, others: 0, unknown: undefined } : await rowsShown({ rows, world });
  const { colors } = world.out;
  const colored = colors !== noColors && colors.bold("x") !== "x";
  let socket: string | undefined;
  let whyNone = "";
  /** The socket that output is read from. */
  let reading: string | undefined;
  const printed = new Map<string, string[]>();
  let standing = new StandingLines();
  let drawing: ReturnType<typeof setTimeout> | undefined;
  const over = Promise.withResolvers<number>();

  const drawNow = (): void => {
    drawing = undefined;
    if (isAway) return;
    const size = { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
    const lines = monitorScreen(picture, { size, colors, colored });
    // Each line is erased to its end: clearing the screen first would flicker.
    const text = lines.map((line) => `${line}\x1b[K`).join("\r\n");
    if (!world.out.write(`\x1b[H${text}\x1b[J`)) over.resolve(0);
  };
  const draw = (): void => {
    drawing ??= setTimeout(drawNow, drawEvery);
  };

  const showLogs = (): void => {
    const name = picture.rows[picture.selected]?.name ?? "";
    const open = standing.all(name).map(({ message }) => `${message}${openMark}`);
    const lines = printed.get(name) ?? [];
    picture.lines = open.length === 0 ? lines : [...lines, ...open];
  };

  /** All services on one connection, so that another selection is shown at once. */
  const readLogs = async (from: string): Promise<void> => {
    printed.clear();
    standing = new StandingLines();
    const request = { Logs: { mode: "follow", tail: linesKept * 4 } };
    try {
      for await (const line of follower(from, request)) {
        const { service, message } = line;
        let lines = printed.get(service);
        if (lines === undefined) {
          lines = [];
          printed.set(service, lines);
        }
        if (standing.hear(line)) lines.push(message);
        showLogs();
        if (lines.length > linesKept * 2) lines.splice(0, linesKept);
        draw();
      }
    } catch {
      // The daemon is gone; the next look reports it.
    }
    if (reading === from) reading = undefined;
  };

  const look = async (): Promise<void> => {
    if (socket === undefined) {
      const found = await daemon();
      if ("socket" in found) socket = found.socket;
      else whyNone = found.why;
    }
    if (socket === undefined) {
      picture.notice = whyNone;
      picture.rows = [];
      picture.others = "";
    } else {
      try {
        const chosen = picture.rows[picture.selected]?.name;
        const shown = await shownOf(await rowsOf(socket));
        picture.rows = shown.rows;
        picture.others = othersText(shown, { verb: "monitor" }) ?? "";
        const at = picture.rows.findIndex((row) => row.name === chosen);
        picture.selected = at === -1 ? Math.min(picture.selected, picture.rows.length - 1) : at;
        picture.selected = Math.max(0, picture.selected);
        if (picture.notice === whyNone) picture.notice = "";
        if (reading === undefined) {
          reading = socket;
          void readLogs(socket);
        }
      } catch {
        // The daemon is gone, and another may have replaced it.
        socket = undefined;
      }
    }
    showLogs();
    draw();
  };

  const command = async (word: string, request: (row: Row) => unknown): Promise<void> => {
    const row = picture.rows[picture.selected];
    if (row === undefined || socket === undefined) return;
    picture.notice = `${row.name}: ${word}`;
    draw();
    try {
      if (word === "stopping") await answerOf(socket, request(row), { deadline: patience });
      else {
        const ended = await carriedOut(socket, request(row), { hear() {} });
        if (ended.kind === "failed") throw new Error(ended.reasons[0]);
      }
      picture.notice = "";
    } catch (error) {
      picture.notice = (error as Error).message;
    }
    draw();
  };

  const move = (by: number): void => {
    const last = Math.max(0, picture.rows.length - 1);
    picture.selected = Math.max(0, Math.min(last, picture.selected + by));
    showLogs();
    draw();
  };

  /** Set while the screen is a service's. */
  let isAway = false;
  const enterService = async (): Promise<void> => {
    const row = picture.rows[picture.selected];
    if (row === undefined || socket === undefined || isAway) return;
    isAway = true;
    giveBack();
    try {
      await attachTo(row, { socket, world });
      picture.notice = "";
    } catch (error) {
      picture.notice = (error as Error).message;
    }
    giveBack = takeTerminal((key) => keys[key]?.());
    isAway = false;
    draw();
  };

  const env = definedOf(world.env);
  const keys: Record<string, () => void> = {
    q: () => over.resolve(0),
    "ctrl-c": () => over.resolve(0),
    "ctrl-d": () => over.resolve(0),
    escape: () => over.resolve(0),
    up: () => move(-1),
    k: () => move(-1),
    down: () => move(1),
    j: () => move(1),
    home: () => move(-picture.rows.length),
    end: () => move(picture.rows.length),
    s: () =>
      // Not `up`, which accepts waiting changes: those need a person who has read them.
      void command("starting", ({ name }) => ({ Restart: { name, env } })),
    x: () => void command("stopping", ({ name }) => ({ Stop: { name } })),
    a: () => void enterService(),
    enter: () => void enterService(),
    r: () => void command("restarting", ({ name }) => ({ Restart: { name, env } })),
  };
  let giveBack = takeTerminal((key) => keys[key]?.());
  const cancelSignal = world.onSignal(() => over.resolve(0));
  const cancelResize = world.onResize(draw);
  try {
    drawNow();
    for (let code: number | undefined; code === undefined;) {
      await look();
      code = (await Promise.race([over.promise, Bun.sleep(period)])) ?? undefined;
    }
    return await over.promise;
  } finally {
    clearTimeout(drawing);
    cancelSignal();
    cancelResize();
    giveBack();
  }
}
