/** What a run with --json leaves on stdout when it fails. */
import { expect, test } from "bun:test";
import {
  asksForJson,
  jsonRun,
  printJson,
  printJsonLine,
} from "../../src/cli/shared/json-output.ts";
import { noColors, type Screen, type World } from "../../src/cli/shared/world.ts";

function scene() {
  const texts = { out: "", err: "" };
  const ends: number[] = [];
  const screen = (name: keyof typeof texts): Screen => ({
    write(text) {
      texts[name] += text;
      return true;
    },
    columns: () => 80,
    colors: { ...noColors, red: (text) => `\x1b[31m${text}\x1b[39m` },
  });
  const outside = {
    ...{ out: screen("out"), err: screen("err") },
    exit: (code: number) => void ends.push(code),
  } as unknown as World;
  const { world, finish } = jsonRun(outside);
  const error = () => JSON.parse(texts.out.trimEnd().split("\n}\n").at(-1)!).error as object;
  return { texts, ends, world, finish, error };
}

test("an answer is all that there is, whatever the exit code", () => {
  const { world, finish, texts } = scene();
  printJson(world, { ok: false });
  world.err.write("localhostess: not all is well\n");
  finish({ code: "failed" });
  expect(JSON.parse(texts.out)).toEqual({ ok: false });
});

test("a terminal that prints an answer does nothing else, and a program reads the same", () => {
  const { world, texts } = scene();
  const value = { text: "\u001b[2J\u009b2J\u202egnp.exe\u200b\u{e0041} café 😀\n" };
  printJson(world, value);
  expect(JSON.parse(texts.out)).toEqual(value);
  expect(texts.out).toBe(
    '{\n  "text": "\\u001b[2J\\u009b2J\\u202egnp.exe\\u200b\\udb40\\udc41 café 😀\\n"\n}\n',
  );
  printJsonLine(world, "\u009b");
  expect(texts.out).toEndWith('"\\u009b"\n');
});

test("without an answer, the sentences for a person are the error, without colors and the program's name", () => {
  const { world, finish, error, texts } = scene();
  world.err.write("started something by the way\n");
  world.err.write(`${world.err.colors.red("localhostess: one is wrong; try: localhostess up")}\n`);
  world.err.write("localhostess: two is wrong\n");
  finish({ code: "not_found" });
  expect(error()).toEqual({
    code: "not_found",
    message: "one is wrong; try: localhostess up\ntwo is wrong",
    hint: "localhostess up",
  });
  expect(texts.err).toContain("started something by the way\n");
});

test("a code that a verb has set, and lines that belong to the error, are in it", () => {
  const { world, finish, error } = scene();
  world.json!.code = "invalid_project";
  world.json!.more.push("locald.toml:3 is wrong");
  world.err.write("localhostess: nothing was started\n");
  finish({ code: "failed" });
  expect(error()).toEqual({
    code: "invalid_project",
    message: "nothing was started\nlocald.toml:3 is wrong",
    hint: null,
  });
});

test("a stream that fails ends with a line that says so", () => {
  const { world, finish, texts } = scene();
  printJsonLine(world, { line: 1 });
  world.err.write("localhostess: the daemon exited\n");
  finish({ code: "not_running" });
  const lines = texts.out.trimEnd().split("\n");
  expect(lines.map((text) => Object.keys(JSON.parse(text)))).toEqual([["line"], ["error"]]);
});

test("a signal that ends the process leaves an error too, and nothing if it ends well", () => {
  const { world, ends, error } = scene();
  world.exit(1);
  expect(error()).toEqual({ code: "interrupted", message: "interrupted", hint: null });
  const well = scene();
  well.world.exit(0);
  expect([ends, well.ends, well.texts.out]).toEqual([[1], [0], ""]);
});

test("nothing of a terminal is in the answer", () => {
  const { world } = scene();
  expect([world.out.columns(), world.out.colors]).toEqual([undefined, noColors]);
});

test("--json counts up to --, from where the words are another program's", () => {
  expect(asksForJson(["url", "api", "--json"])).toBe(true);
  expect(asksForJson(["try", "--json", "--", "x"])).toBe(true);
  expect(asksForJson(["try", "--", "x", "--json"])).toBe(false);
  expect(asksForJson(["url", "json"])).toBe(false);
});
