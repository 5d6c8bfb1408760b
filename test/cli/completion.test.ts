/** What Tab offers, in the shells themselves. */
import { describe, expect, test } from "bun:test";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lacking, whereIs } from "../support/debian.ts";
import { command, environment } from "./cli.ts";
import { type Folder, folder } from "./folder.ts";

const manifest = '[services]\nweb = "x"\n"api" = "x"\n';

/** What stands on the line -> what may come there. */
const offers: [words: string[], offered: string[]][] = [
  [["serv"], ["serve", "service", "server"]],
  [
    ["config", ""],
    ["check", "show", "schema"],
  ],
  [
    ["config", "s"],
    ["show", "schema"],
  ],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["service", "add", "w"], ["worker"]],
  [
    ["ls", "--scanner", ""],
    ["auto", "procfs", "lsof"],
  ],
  [["ls", "--port", ""], []],
  [["plugin", "inspect", "redis", "--grant", "o"], ["oci-pull"]],
  [["config", "show", "--p"], ["--provenance"]],
  [
    ["untrust", "--"],
    ["--forget", "--json", "--help"],
  ],
  [
    ["help", "serv"],
    ["serve", "service", "server"],
  ],
  [
    ["help", "config", "s"],
    ["show", "schema"],
  ],
  [["help", "completion", ""], []],
  [["help", "help", ""], []],
  [["hel"], ["help"]],
  [["__"], []],
  [["nosuch", ""], []],
];

describe("__complete", () => {
  for (const [words, offered] of offers) {
    test(`${words.join(" ")}| offers ${offered.join(" ") || "nothing"}`, async () => {
      await using its = await folder({ "locald.toml": manifest });
      const { code, out, err } = await its.run(["__complete", "--", ...words]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      const lines = out.trimEnd().split("\n");
      expect(lines.pop()).toMatch(/^:(?:none|files|dirs)$/);
      expect(lines.map((line) => line.split("\t")[0]!)).toEqual(offered);
    });
  }

  test("folders and files are the shell's", async () => {
    await using its = await folder({});
    const last = async (...words: string[]): Promise<string> =>
      (await its.run(["__complete", "--", ...words])).out.trimEnd().split("\n").at(-1)!;
    expect(await last("config", "check", "")).toBe(":dirs");
    expect(await last("add", "web", "--", "b")).toBe(":files");
    expect(await last("add", "")).toBe(":none");
  });
});

/** A folder in which `localhostess` is a program. */
async function withProgram(): Promise<Folder> {
  const its = await folder({ "locald.toml": manifest });
  await mkdir(join(its.path, "bin"));
  const path = join(its.path, "bin/localhostess");
  await writeFile(path, `#!/bin/sh\nexec ${command().join(" ")} "$@"\n`);
  await chmod(path, 0o755);
  // As a stranger's project may have it.
  await writeFile(join(its.path, "localhostess"), "#!/bin/sh\n: > run\necho stranger\n");
  await chmod(join(its.path, "localhostess"), 0o755);
  return its;
}

/** What may stand first on the line, in that folder; a program of the folder is not run. */
const firsts = (its: Folder): string[] => [
  "localhostess",
  "./localhostess",
  join(its.path, "bin/localhostess"),
  "~/bin/localhostess",
];

async function shell(its: Folder, args: readonly string[]): Promise<string[]> {
  const env = environment({
    ...its.env,
    HOME: its.path,
    PATH: `${join(its.path, "bin")}:${process.env.PATH}`,
  });
  const child = Bun.spawn([...args], { env, cwd: its.path, stdin: "ignore", stderr: "inherit" });
  const out = await child.stdout.text();
  expect(await child.exited).toBe(0);
  expect(await Bun.file(join(its.path, "run")).exists()).toBe(false);
  return out.trimEnd().split("\n");
}

test("bash offers them, and runs no program of the folder", async () => {
  await using its = await withProgram();
  for (const first of firsts(its)) {
    const script = `eval "$(localhostess completion bash)"
COMP_WORDS=('${first}' config s); COMP_CWORD=2
_localhostess '${first}' s config
printf '%s\\n' "\${COMPREPLY[@]}"`;
    expect(await shell(its, ["bash", "--norc", "-c", script])).toEqual(["show", "schema"]);
  }
});

test.if(whereIs("zsh") !== undefined)(
  `zsh offers them, and runs no program of the folder${lacking(["zsh"])}`,
  async () => {
    await using its = await withProgram();
    // What would be drawn below the line.
    for (const first of firsts(its)) {
      const script = `autoload -Uz compinit; compinit -u -d ${its.path}/dump
eval "$(localhostess completion zsh)"
_describe() { print -l -- $candidates }
words=('${first}' config s); CURRENT=3
_localhostess
print -- $_comps[localhostess]`;
      expect(await shell(its, ["zsh", "-f", "-c", script])).toEqual([
        "show:print the effective configuration, including defaults",
        "schema:print the JSON Schema of locald.toml, for editors",
        "_localhostess",
      ]);
    }
  },
);

test.if(whereIs("fish") !== undefined)(
  `fish offers them, and runs no program of the folder${lacking(["fish"])}`,
  async () => {
    await using its = await withProgram();
    for (const first of firsts(its)) {
      const script = `localhostess completion fish | source
complete -C "${first} config s"`;
      const lines = await shell(its, ["fish", "--no-config", "-c", script]);
      expect(lines.sort()).toEqual([
        "schema\tprint the JSON Schema of locald.toml, for editors",
        "show\tprint the effective configuration, including defaults",
      ]);
    }
  },
);
