/** The steps of a start, as reported -> lines: drawn over one another on a terminal, one after another elsewhere. */
import { printable } from "../../text/printable.ts";
import type { BootEvent } from "../../routes/project-report.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import { shownDuration } from "../../text/duration.ts";
import { fitted } from "../shared/table.ts";
import type { Screen } from "../shared/world.ts";
import { isSameWork, withBar } from "./progress-bar.ts";

export type ProgressOptions = {
  screen: Screen;
  clock: Clock;
  /** False: one line after another even on a terminal, for when others write between them. */
  drawn?: boolean;
  /** The name of a service that is shown. */
  nameOf?: (id: string) => string;
};

export interface Progress {
  hear(event: BootEvent): void;
  /** Keeps the lines that were drawn, and draws no more. Calling it twice is harmless. */
  end(): void;
}

/** `next`: milliseconds of its time after which it is said again, where nothing is drawn. */
type Step = { id: string; since: number; says: string; isTask: boolean; next: number };

/** Milliseconds after which a step that goes on is said again: few lines, also of a start that takes an hour. */
const reminders = [10_000, 30_000, 60_000];
const reminderPeriod = 60_000;

/** The first of these times that is later. */
function reminderAfter(passed: number): number {
  const rounds = Math.floor(passed / reminderPeriod) + 1;
  return reminders.find((time) => time > passed) ?? rounds * reminderPeriod;
}

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMilliseconds = 80;
/** Milliseconds between two looks at what goes on for long. */
const reminderTick = 1000;
const hideCursor = "\x1b[?25l";
const showCursor = "\x1b[?25h";
/** More lines would scroll out of a small terminal, and could not be drawn over. */
const mostDrawn = 15;

/** The daemon's words for a task that needs no other run. */
const alreadyCompleted = "already completed";

function wellText({ says, isTask }: Step, took: string): string {
  if (isTask) return says === alreadyCompleted ? says : `completed in ${took}`;
  return says === "already running" ? "already ready" : `ready in ${took}`;
}

export function progress(options: ProgressOptions): Progress {
  const { screen, clock, nameOf = String } = options;
  const drawn = (options.drawn ?? true) && screen.columns() !== undefined;
  const { colors } = screen;
  const steps = new Map<string, Step>();
  let lines = 0;
  let frame = 0;
  let cancel: Cancel | undefined;

  const erase = (): string => (lines === 0 ? "" : `\x1b[${lines}A\x1b[J`);
  /** With room for the cursor behind it. */
  const cut = (text: string): string => {
    const columns = screen.columns();
    return fitted(text, columns === undefined ? undefined : columns - 1);
  };

  const draw = (above = ""): void => {
    let text = erase() + above;
    const shown = [...steps.values()].slice(0, mostDrawn);
    const left = steps.size - shown.length;
    const mark = colors.cyan(frames[frame % frames.length]!);
    const now = clock.now();
    for (const { id, says, since } of shown) {
      const time = colors.dim(shownDuration(now - since));
      text += `${cut(`${mark} ${nameOf(id)}  ${withBar(says)}  ${time}`)}\n`;
    }
    if (left > 0) text += `${colors.dim(`  and ${left} more`)}\n`;
    lines = shown.length + (left > 0 ? 1 : 0);
    screen.write(text);
  };

  const say = (line: string): void => {
    if (drawn) draw(`${cut(line)}\n`);
    else screen.write(`${line}\n`);
  };

  /** Says again what goes on for long. */
  const remind = (): void => {
    for (const step of steps.values()) {
      const passed = clock.now() - step.since;
      if (passed < step.next) continue;
      step.next = reminderAfter(passed);
      const name = printable(nameOf(step.id), 100);
      say(`${name}: ${step.says} (${shownDuration(Math.floor(passed / 1000) * 1000)})`);
    }
  };

  const begin = (): void => {
    if (cancel !== undefined) return;
    if (!drawn) {
      cancel = clock.every(reminderTick, remind);
      return;
    }
    screen.write(hideCursor);
    cancel = clock.every(frameMilliseconds, () => {
      frame++;
      draw();
    });
  };

  return {
    hear(event) {
      const { type, data } = event;
      const name = printable(nameOf(data.id), 100);
      if (type === "Log") {
        say(`${colors.dim(`${name} |`)} ${printable(Bun.stripANSI(data.line))}`);
      } else if (type === "StepStarted") {
        const asItIs = /up to date$/.test(data.description);
        const isTask = /^\w+ task /.test(data.description);
        const weighed = data.description.startsWith("Checking ");
        const says = asItIs ? "already running" : weighed ? "looking for changes" : "starting";
        // Reading the file is not a step that a person waits for.
        if (data.id === "config") return;
        begin();
        const next = reminderAfter(0);
        steps.set(data.id, { id: data.id, since: clock.now(), says, isTask, next });
        if (drawn) draw();
        else if (!asItIs) say(`${name}: ${says}`);
      } else if (type === "StepProgress" && data.id === "config") {
        // Printed in full, even over several lines of the screen: it has not been read yet.
        const line = `${colors.yellow(printable(data.message, 2000))}\n`;
        if (drawn) draw(line);
        else screen.write(line);
      } else if (type === "StepProgress") {
        const step = steps.get(data.id);
        if (step === undefined) return;
        const before = step.says;
        step.says = printable(data.message, 300);
        if (drawn) draw();
        // How far it has come is said with the reminders.
        else if (step.says !== alreadyCompleted && !isSameWork(before, step.says)) {
          say(`${name}: ${step.says}`);
        }
      } else {
        const step = steps.get(data.id);
        steps.delete(data.id);
        if (step === undefined) return;
        const took = shownDuration(clock.now() - step.since);
        if ("Ok" in data.result) {
          const text = wellText(step, took);
          say(drawn ? `${colors.green("✓")} ${name}  ${colors.dim(text)}` : `${name}: ${text}`);
        } else {
          const why = printable(data.result.Err, 500);
          const text = `${step.isTask ? "failed" : "not ready"} after ${took}: ${why}`;
          say(drawn ? `${colors.red("✗")} ${name}  ${text}` : `${name}: ${text}`);
        }
      }
    },
    end() {
      if (cancel === undefined) return;
      cancel();
      cancel = undefined;
      steps.clear();
      if (!drawn) return;
      draw();
      screen.write(showCursor);
    },
  };
}
