import { describe, expect, test } from "bun:test";
import { LogLines, type Size } from "../../src/supervisor/logs/log-lines.ts";
import { settling } from "../../src/supervisor/logs/terminal-screen.ts";

const E = "\u001b[";
const terminal: Size = { cols: 120, rows: 40 };

/** Lines with a clock that is turned by hand, and a memory of what they told, as a log has it. */
class Shown {
  now = 0;
  readonly texts: string[] = [];
  readonly lines: LogLines;

  constructor({ size }: { size: Size | undefined } = { size: terminal }) {
    this.lines = new LogLines({
      size,
      now: () => this.now,
      recall: (back) => this.texts.at(-1 - back),
    });
  }

  readonly #take = (bytes: Uint8Array): void => {
    this.texts.push(new TextDecoder().decode(bytes));
  };

  push(text: string | Uint8Array): this {
    this.lines.push(typeof text === "string" ? Buffer.from(text) : text, this.#take);
    return this;
  }

  wait(milliseconds: number): this {
    this.now += milliseconds;
    this.lines.settle(this.#take);
    return this;
  }

  end(): string[] {
    this.lines.flush(this.#take);
    return this.texts;
  }
}

/** The lines that came at once, without any waiting. */
function linesOf(...pieces: (string | Uint8Array)[]): string[] {
  const shown = new Shown();
  for (const piece of pieces) shown.push(piece);
  return shown.texts;
}

const frames = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"];
/** Milliseconds between two frames, as ora and listr have it. */
const beat = 80;

const single: [string, string, string[]][] = [
  ["npm's spinner goes to column 1 and erases", `${E}1G${E}0K⠙${E}1G${E}0Kready\n`, ["ready"]],
  ["ora erases the line and goes to its begin", `⠋ load${E}2K${E}1G✔ load\n`, ["✔ load"]],
  ["ESC[G and ESC[K without numbers", `|${E}G${E}Kready\n`, ["ready"]],
  ["a spinner that steps back", "-\b\\\b|\b/\bdone\n", ["done"]],
  ["a spinner that steps back by ESC[D", `ab${E}2D${E}Kready\n`, ["ready"]],
  ["a shorter text leaves the rest of a longer one", "loading 50%\rready\n", ["readyng 50%"]],
  ["and not where it was erased", `loading 50%\rready${E}K\n`, ["ready"]],
  ["and not where spaces were written over it", "loading\r       \rready\n", ["ready"]],
  ["a gap that the cursor goes over is blank", `a${E}3Cb\n`, ["a   b"]],
  ["a column that is named", `name${E}10Gvalue\n`, ["name     value"]],
  ["a place that is kept and gone back to", `a${E}sbc${E}uX\n`, ["aXc"]],
  ["the same with ESC 7 and ESC 8", "a\u001b7bc\u001b8X\n", ["aXc"]],
  ["erased from the begin to the cursor", `abcdef${E}3D${E}1K\n`, ["    ef"]],
  ["characters that are taken out", `abcdef${E}1G${E}2P\n`, ["cdef"]],
  ["characters that are blanked", `abcdef${E}1G${E}2X\n`, ["  cdef"]],
  ["characters that make room", `abc${E}2G${E}2@\n`, ["a  bc"]],
  ["a tab goes to the next eighth column", "ab\rx\ty\n", ["xb      y"]],
  ["wide characters have two columns", "界界\rx\n", ["x 界"]],
  ["combining characters stand on another", "e\u0301x\rz\n", ["zx"]],
  ["colours of what is left stay", `${E}31mred${E}0m ok\rR\n`, [`R${E}31med${E}0m ok`]],
  ["a title is no text", "\u001b]0;my title\u0007ready\n", ["ready"]],
  ["a title with ST is no text", "\u001b]2;my title\u001b\\ready\n", ["ready"]],
  ["a link shows its text", "\u001b]8;;http://x\u0007click\u001b]8;;\u0007\n", ["click"]],
  ["a device's answer is no text", "\u001bP1$r0m\u001b\\ready\n", ["ready"]],
  ["8-bit controls are controls", "\u009b31mred\u009b1G\u009bKready\n", [`${E}31mready${E}0m`]],
  ["a cursor that is hidden moves nothing", `${E}?25lready${E}?25h\n`, ["ready"]],
  ["bracketed paste moves nothing", `${E}?2004h>>> 1${E}?2004l\n`, [">>> 1"]],
  ["an unknown sequence is no text", `${E}5;5~${E}>4;2mready\u001b(B\n`, ["ready"]],
  ["a control within a sequence ends it", `${E}3\nready\n`, ["", "ready"]],
];

describe("a line that the cursor goes back over is what a terminal shows when it ends, however it is cut:", () => {
  for (const [name, text, expected] of single) {
    test(name, () => {
      const bytes = Buffer.from(text);
      expect(linesOf(bytes)).toEqual(expected);
      expect(linesOf(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(expected);
      for (let at = 0; at <= bytes.length; at++) {
        expect(linesOf(bytes.subarray(0, at), bytes.subarray(at))).toEqual(expected);
      }
    });
  }
});

test("a spinner that turns for minutes is no line, and what comes after it is one at once", () => {
  const shown = new Shown();
  for (let at = 0; at < 5000; at++) {
    shown.push(`${E}1G${E}0K${frames[at % frames.length]}`);
    if (at % 1000 === 0) shown.wait(beat);
  }
  expect(shown.push(`${E}1G${E}0K`).push("ready on 3000\n").texts).toEqual(["ready on 3000"]);
});

/** Draws rows over the ones that were drawn last, as log-update does. */
function redraw(rows: readonly string[], before: number): string {
  return `${`${E}2K${E}1A`.repeat(before)}${E}2K${E}G${rows.join("\n")}\n`;
}

describe("rows that are drawn over one another", () => {
  test("are told when they begin and when they stand, not once a frame", () => {
    const shown = new Shown();
    shown.push("begin\n");
    const rows = (at: number, done: boolean) =>
      ["install", "build", "test"].map((name) => `${done ? "✔" : frames[at % 10]} ${name}`);
    shown.push(redraw(rows(0, false), 0));
    for (let at = 1; at < 1000; at++) shown.wait(beat).push(redraw(rows(at, false), 3));
    shown.push(redraw(rows(0, true), 3));
    expect(shown.texts).toEqual(["begin", "⠋ install", "⠋ build", "⠋ test"]);
    shown.push("serving\n");
    expect(shown.texts.at(-1)).toBe("serving");
    shown.wait(settling);
    expect(shown.texts.slice(5)).toEqual(["✔ install", "✔ build", "✔ test"]);
    expect(shown.wait(60_000).end().length).toBe(8);
  });

  test("are told one by one, each when it has stood for a while", () => {
    const shown = new Shown();
    for (let at = 0; at < 200; at++) {
      const first = at < 50 ? frames[at % 10] : "✔";
      shown.wait(beat).push(redraw([`${first} one`, `${frames[at % 10]} two`], at === 0 ? 0 : 2));
    }
    expect(shown.texts).toEqual(["⠋ one", "⠋ two", "✔ one"]);
  });

  test("are told when the output ends", () => {
    const shown = new Shown();
    shown.push("⠋ one\n⠋ two\n").push(redraw(["✔ one", "✔ two"], 2));
    expect(shown.end()).toEqual(["⠋ one", "⠋ two", "✔ one", "✔ two"]);
  });

  test("say nothing where they are erased, and the next line is none of theirs", () => {
    const shown = new Shown();
    shown.push("⠋ one\n").wait(beat).push(`${E}1A${E}2K`).push("ready on 3000\n").wait(settling);
    expect(shown.end()).toEqual(["⠋ one", "ready on 3000"]);
  });

  test("keep what is drawn above them", () => {
    const shown = new Shown();
    let height = 0;
    for (let at = 0; at < 100; at++) {
      const log = at % 25 === 24 ? [`request ${at}`] : [];
      const rows = [`${frames[at % 10]} one`, `${frames[at % 10]} two`];
      shown.wait(beat).push(redraw([...log, ...rows], height));
      height = rows.length;
    }
    const { texts } = shown.wait(settling);
    for (const at of [24, 49, 74, 99]) expect(texts).toContain(`request ${at}`);
    expect(texts.length).toBeLessThan(20);
  });

  test("are gone when more lines came than the screen has, and none of them is lost", () => {
    const shown = new Shown();
    shown
      .push("⠋ one\n")
      .wait(beat)
      .push(redraw(["✔ one"], 1));
    for (let at = 0; at < 60; at++) shown.push(`line ${at}\n`);
    expect(shown.texts).toContain("✔ one");
    expect(shown.texts.filter((text) => text.startsWith("line"))).toHaveLength(60);
    // The screen is at rest again: what a cursor changes now is another row.
    expect(shown.push(`${E}1A${E}2Kchanged\n`).wait(settling).texts.at(-1)).toBe("changed");
  });

  test("that docker pull changes alone, and comes back from", () => {
    const shown = new Shown();
    shown.push("a: waiting\nb: waiting\n");
    for (let at = 0; at <= 100; at++) {
      shown.wait(beat).push(`${E}2A${E}2K\ra: ${at}%${E}2B\r`);
      shown.wait(beat).push(`${E}1A${E}2K\rb: ${at}%${E}1B\r`);
    }
    shown.wait(settling);
    expect(shown.texts).toEqual(["a: waiting", "b: waiting", "a: 100%", "b: 100%"]);
  });

  test("change by a part, where the rest of them is known from before", () => {
    const shown = new Shown();
    shown.push("a: 10%\nb: 20%\n").push(`${E}2A${E}4G55${E}2B\r`).wait(settling);
    expect(shown.texts).toEqual(["a: 10%", "b: 20%", "a: 55%"]);
  });

  test("go no further up than the screen, or the output, goes", () => {
    const shown = new Shown();
    shown.push("one\n").push(`${E}99A${E}2Ktop\n`).wait(settling);
    expect(shown.texts).toEqual(["one", "top"]);
  });
});

describe("a page that is cleared", () => {
  test("keeps its lines, and the next page's come at once", () => {
    for (const clear of [
      `${E}2J${E}H`,
      `${E}H${E}2J`,
      `${E}1;1H${E}0J`,
      "\u001bc",
      `${E}3J${E}2J${E}H`,
    ]) {
      const shown = new Shown();
      shown.push("one\ntwo\n").wait(10_000).push(`${clear}ready\n`);
      expect(shown.texts).toEqual(["one", "two", "ready"]);
    }
  });

  test("as Vite does it, with a screen of empty lines", () => {
    const shown = new Shown();
    shown.push(`> dev\n\n${"\n".repeat(39)}${E}1;1H${E}0J\n  VITE ready in 300 ms\n`);
    expect(shown.texts.at(-1)).toBe("  VITE ready in 300 ms");
  });

  test("many times a second is one picture: its lines are told when it stands", () => {
    const shown = new Shown();
    for (let at = 0; at < 500; at++) shown.wait(beat).push(`${E}H${E}2Jload ${at}\nmemory ${at}\n`);
    expect(shown.texts.length).toBeLessThan(10);
    expect(shown.wait(settling).texts.slice(-2)).toEqual(["load 499", "memory 499"]);
    // Later lines are lines again.
    expect(shown.push("done\n").texts.at(-1)).toBe("done");
  });

  test("by going home without erasing is one picture too", () => {
    const shown = new Shown();
    for (let at = 0; at < 100; at++) shown.wait(beat).push(`${E}Hload ${at}${E}K\nend\n`);
    expect(shown.wait(settling).texts).toEqual(["load 0", "end", "load 99"]);
  });
});

test("a full-screen program leaves no lines, and what was there goes on after it", () => {
  const shown = new Shown();
  shown.push("before\nopen> ").push(`${E}?1049h${E}2J${E}Hfull\nscreen\n~\n`);
  expect(shown.lines.isFull).toBe(true);
  expect(shown.lines.open).toBeUndefined();
  shown.push(`${E}10;5Hmore${E}?1049l`).push("done\nnext\n");
  expect(shown.lines.isFull).toBe(false);
  expect(shown.texts).toEqual(["before", "open> done", "next"]);
});

test("a full-screen program that is killed leaves the next process's lines alone", () => {
  const shown = new Shown();
  shown.push(`${E}?1049hfull`).end();
  expect(shown.push("next\n").texts).toEqual(["next"]);
});

describe("a line without an end", () => {
  const open = (...pieces: string[]) => {
    const shown = new Shown();
    for (const piece of pieces) shown.push(piece);
    return shown.lines.open;
  };

  test("is what stands there", () => {
    expect(open("done\nName? ")).toBe("Name? ");
    expect(open(`|${E}1G${E}KName? `)).toBe("Name? ");
    expect(open(`${E}32m?${E}0m Name `)).toBe(`${E}32m?${E}0m Name `);
    expect(open("Name? ", "\r")).toBe("Name? ");
  });

  test("is none where nothing stands", () => {
    for (const text of ["", "done\n", "\r", `⠋${E}1G${E}K`, `${E}?25l`, "\u001b]0;title\u0007"]) {
      expect(open(text)).toBeUndefined();
    }
  });
});

describe("the terminal's columns", () => {
  test("a line that is wrapped is one line, and CR goes to the begin of its last row", () => {
    const long = "x".repeat(130);
    expect(linesOf(`${long}\n`)).toEqual([long]);
    expect(linesOf(`${long}\rab\n`)).toEqual([`${"x".repeat(120)}abxxxxxxxx`]);
    // The cursor waits in the last column until there is another character.
    expect(linesOf(`${"x".repeat(120)}\rab\n`)).toEqual([`ab${"x".repeat(118)}`]);
  });

  test("a row that is wrapped counts as two on the way up", () => {
    const shown = new Shown();
    shown
      .push(`${"x".repeat(130)}\n`)
      .push(`${E}2A${E}Jready\n`)
      .wait(settling);
    expect(shown.texts.at(-1)).toBe("ready");
  });

  test("characters are put in, and taken out, within the row of the screen", () => {
    const size = { cols: 10, rows: 5 };
    const one = (text: string): string | undefined => new Shown({ size }).push(text).texts[0];
    expect(one(`abcdefghij\r${E}3@123\n`)).toBe("123abcdefg");
    expect(one(`abcdefghij\r${E}3P\n`)).toBe("defghij");
    expect(one(`abcdefghijKLM${E}A\r${E}3@${E}B\n`)).toBe("   abcdefgKLM");
    expect(one(`abcdefghijKLM${E}A\r${E}3P${E}B\n`)).toBe("defghij   KLM");
    expect(one(`ab\r${E}99@x\n`)).toBe("x");
    expect(one(`ab\r${E}99Px\n`)).toBe("x");
    expect(one(`日本\r${E}C${E}P\n`)).toBe(" 本");
  });

  test("a row that is longer than the screen pushes out what is above it, and is told as it stands", () => {
    const shown = new Shown();
    shown.push(`q\n${E}Az${E}B\r${"a".repeat(6000)}${E}A${E}G`).wait(settling);
    expect(shown.texts).toEqual(["q", "z"]);
    shown.push(`${E}Bend\n`).wait(settling);
    expect(shown.texts).toHaveLength(3);
    expect(shown.texts[2]).toContain("end");
  });

  test("pipes have none", () => {
    const shown = new Shown({ size: undefined });
    shown.push(`${"x".repeat(130)}\rab\n`);
    expect(shown.texts).toEqual([`ab${"x".repeat(128)}`]);
  });
});

describe("what a hostile program prints", () => {
  test("is bounded: moves without end, rows without end, sequences without end", () => {
    const shown = new Shown({ size: undefined });
    for (let at = 0; at < 50; at++) shown.push(`${E}999999999C.\r${E}999999999A${E}99999999B`);
    for (let at = 0; at < 300; at++) shown.push(`\u001b]${"x".repeat(10_000)}`);
    shown.push(`\u0007${E}${"1;".repeat(5000)}`).push("\nready\n");
    expect(shown.end()).toContain("ready");
  });

  test.each<[what: string, size: Size | undefined, made: string]>([
    ["cells that are put in and taken out", terminal, `ab\r${`${E}65535@${E}65535P`.repeat(4000)}`],
    ["cells that are put in, in pipes", undefined, `ab\r${`${E}65535@${E}65535P`.repeat(2000)}`],
    ["text far to the right", undefined, `${E}65535Gx${E}2K`.repeat(4000)],
    [
      "from corner to corner of a huge screen",
      { cols: 65_535, rows: 65_535 },
      `${E}H${E}65535;65535H`.repeat(2000),
    ],
    [
      "past a long row",
      undefined,
      `q\n${E}Az${E}B\r${"a".repeat(65_000)}${E}G\n${`${E}Ax${E}B`.repeat(4000)}`,
    ],
  ])("keeps the daemon busy no longer than its length: %s", (_what, size, made) => {
    const began = performance.now();
    new Shown({ size }).push(made).end();
    // Each cost minutes where its cells were moved one by one, or a row read each time.
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  test("a title without an end hides no line behind it, and a picture without one not all of them", () => {
    expect(linesOf("\u001b]0;cut\nready\n")).toEqual(["", "ready"]);
    const shown = new Shown().push("\u001bP0q");
    for (let at = 0; at < 20; at++) shown.push(`${"~".repeat(100_000)}\n`);
    expect(shown.push("ready\n").end()).toContain("ready");
  });

  test("colours that are longer than any colour are none", () => {
    const long = "1".repeat(60_000);
    const shown = new Shown().push(`x\r${E}31:${long}m${`${E}1ma${E}22mb`.repeat(3000)}\n`);
    expect(shown.texts[0]!.match(/[ab]/g)).toHaveLength(6000);
    expect(shown.texts[0]).not.toContain("111");
  });

  test("is bounded: combining characters without end", () => {
    const shown = new Shown();
    shown.push(`a\r${"e\u0301".repeat(1)}${"\u0301".repeat(100_000)}\n`);
    expect(shown.texts[0]!.length).toBeLessThan(100);
  });
});
