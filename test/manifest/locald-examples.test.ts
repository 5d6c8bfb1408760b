/** Files in the forms of the first locald: all of them are read, and what cannot be used is told as a warning. */
import { expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProject } from "../../src/supervisor/project/read-project.ts";
import { type Example, examples, written } from "./locald-examples.ts";

async function checked(example: Pick<Example, "toml" | "procfile" | "files">) {
  const home = await mkdtemp(join(tmpdir(), "localhostess-example-"));
  try {
    const directory = join(home, "example");
    await mkdir(directory);
    await written(directory, example);
    return await readProject(directory, { home, shell: {} });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

test("there are 28 of them", () => expect(examples).toHaveLength(28));

for (const example of examples) {
  test(`${example.name} has no error, and its warnings are the ones expected`, async () => {
    const read = await checked(example);
    if (read.kind !== "project") throw new Error(JSON.stringify(read));
    const { warnings, services } = read.project;
    const expected = (example.warns ?? []).map((part) => expect.stringContaining(part));
    expect(warnings).toEqual(expected);
    const names = Object.keys(example.states ?? {});
    if (example.states !== undefined) {
      expect(services.map(({ name }) => name).sort()).toEqual(names.sort());
    }
  });
}

/** A folder with such files, of whoever has one: `<name>.toml` and `<name>.Procfile`. */
const folder = process.env.LOCALD_EXAMPLES;

test.skipIf(folder === undefined)(
  "those of a folder that is named in the environment have no error either",
  async () => {
    for (const file of await readdir(folder!)) {
      const text = await readFile(join(folder!, file), "utf8");
      const workdirs = [...text.matchAll(/^workdir = "(.*)"/gm)].map(([, path]) => `${path}/x`);
      const files = Object.fromEntries(workdirs.map((path) => [path, ""]));
      const read = await checked(
        file.endsWith(".toml") ? { toml: text, files } : { procfile: text, files },
      );
      expect([file, read.kind === "mistakes" ? read.mistakes : []]).toEqual([file, []]);
    }
  },
);
