/** State that a newer version has written: no older daemon starts on it, and nothing of it is lost. */
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { refuseNewerState } from "../../src/daemon/newer-state.ts";
import { cli, freshState } from "../cli/cli.ts";

const files = [
  "state.json",
  "registry.json",
  "remotes.json",
  "names.json",
  "choices.json",
  "folder-names.json",
  "forgotten-folders.json",
];

test("a newer file is refused, each with the command that begins anew", async () => {
  await using state = await freshState();
  mkdirSync(state.directory, { recursive: true, mode: 0o700 });
  expect(() => refuseNewerState(state.directory)).not.toThrow();
  const paths = files.map((name) => join(state.directory, name));
  const sentences = paths.map(
    (path) =>
      `${path}: it was written by a newer localhostess (form 99; this one knows up to 1); ` +
      `use that version (localhostess upgrade), or begin anew: mv ${path} ${path}.newer`,
  );
  for (const path of paths) writeFileSync(path, '{"version":99}', { mode: 0o600 });
  expect(() => refuseNewerState(state.directory)).toThrow(sentences.join("\n"));
});

test("server start says so, ends with 1, and changes nothing", async () => {
  await using state = await freshState();
  mkdirSync(state.directory, { recursive: true, mode: 0o700 });
  chmodSync(state.directory, 0o700);
  const path = join(state.directory, "registry.json");
  const text = '{"version":2,"projects":{}}';
  writeFileSync(path, text, { mode: 0o600 });
  const { code, err } = await cli(["server", "start", "--detach", "--port", "0"], {
    env: { ...state.env, LOCALHOSTESS_HTTP_PORT: "off", LOCALHOSTESS_HTTPS_PORT: "off" },
  });
  expect(code).toBe(1);
  expect(err).toContain(`${path}: it was written by a newer localhostess`);
  expect(readFileSync(path, "utf8")).toBe(text);
});
