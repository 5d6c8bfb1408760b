import { expect, test } from "bun:test";
import { chown, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  projectFolder,
  type ReadProject,
  type ReadProjectOptions,
  readProject,
} from "../../src/supervisor/project/read-project.ts";

type Files = Record<string, string>;

/** A home with files in it. */
async function withFiles(files: Files, use: (home: string) => Promise<void>): Promise<void> {
  const home = await realpath(await mkdtemp(join(tmpdir(), "localhostess-home-")));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(home, path)), { recursive: true });
      await writeFile(join(home, path), text);
    }
    await use(home);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function envOf(
  directory: string,
  options: ReadProjectOptions,
): Promise<Record<string, string> | readonly string[]> {
  const its = await readProject(directory, options);
  if (its.kind === "project") return its.project.services[0]!.env;
  return its.kind === "mistakes" ? its.mistakes : [its.kind];
}

const own = '[services.web]\ncommand = "x"\nenv = { own = "1" }\n';
const layer = (name: string): string => `[env]\nwho = "${name}"\n${name} = "1"\n`;

test("layers are read from home down, and the project's own file wins", async () => {
  const files = {
    ".locald.toml": layer("home"),
    "a/.locald.toml": layer("a"),
    "a/b/.locald.toml": layer("beside"),
    "a/locald.workspace.toml": layer("workspace"),
    "a/b/locald.toml": own,
    "a/b/.env": "dotenv=1\n",
    "config.toml": layer("config"),
  };
  await withFiles(files, async (home) => {
    const configFile = join(home, "config.toml");
    const its = await readProject(join(home, "a/b"), { home, configFile });
    if (its.kind !== "project") throw new Error(JSON.stringify(its));
    expect(its.project.services[0]!.env).toEqual({
      config: "1",
      home: "1",
      a: "1",
      workspace: "1",
      who: "workspace",
      dotenv: "1",
      own: "1",
    });
    expect(its.project.files.map((path) => path.slice(home.length + 1))).toEqual([
      "a/b/locald.toml",
      "config.toml",
      ".locald.toml",
      "a/.locald.toml",
      "locald.workspace.toml",
      "a/locald.workspace.toml",
      "a/b/locald.workspace.toml",
      "a/b/locald.local.toml",
      "a/b/.env",
    ]);
    const who = its.fields.find(({ path }) => path.join(".") === "env.who");
    expect(who?.origin).toEqual({ file: "../locald.workspace.toml", line: 2 });
  });
});

test("reload is what config.toml says, and else the last layer; env files are named by where they are", async () => {
  const files = {
    "a/locald.toml": `[project]\nreload = "auto"\nenv_file = "all.env"\n${own}env_file = "../web.env"\n`,
    "a/all.env": "",
    "web.env": "",
    "b/locald.toml": own,
    "b/locald.workspace.toml": '[project]\nreload = "ask"\n',
    "config.toml": '[project]\nreload = "ask"\n',
  };
  await withFiles(files, async (home) => {
    const reloadOf = async (name: string, configFile?: string) => {
      const its = await readProject(join(home, name), { home, configFile });
      if (its.kind !== "project") throw new Error(JSON.stringify(its));
      return { ...its.project.reload, files: its.project.services[0]!.envFiles };
    };
    const envFiles = [join(home, "a/all.env"), join(home, "web.env")];
    expect(await reloadOf("a")).toEqual({ value: "auto", personal: false, files: envFiles });
    expect(await reloadOf("b")).toMatchObject({ value: "ask", personal: false });
    const configFile = join(home, "config.toml");
    expect(await reloadOf("a", configFile)).toMatchObject({ value: "ask", personal: true });
    const read = await readProject(join(home, "a"), { home, configFile });
    const field = read.kind === "project" && read.fields.find((its) => its.path[1] === "reload");
    expect(field).toMatchObject({ value: "ask", origin: { file: "../config.toml" } });
  });
});

test("the repository's root is as far as it goes", async () => {
  const files = {
    ".locald.toml": layer("home"),
    "a/.locald.toml": layer("root"),
    "a/.git/HEAD": "",
    "a/b/locald.toml": own,
    "c/.git": "gitdir: elsewhere\n",
    "c/locald.toml": own,
  };
  await withFiles(files, async (home) => {
    expect(await envOf(join(home, "a/b"), { home })).toMatchObject({ who: "root" });
    expect(await envOf(join(home, "c"), { home })).toEqual({ own: "1" });
  });
});

test("outside of home and of a repository nothing above is read", async () => {
  await withFiles({ ".locald.toml": layer("shared"), "a/locald.toml": own }, async (root) => {
    expect(await envOf(join(root, "a"), { home: join(root, "home") })).toEqual({ own: "1" });
  });
});

test.if(process.getuid?.() === 0)(
  "what belongs to another user is told, and not read",
  async () => {
    await withFiles({ ".locald.toml": layer("home"), "a/locald.toml": own }, async (home) => {
      await chown(join(home, ".locald.toml"), 12_345, 12_345);
      expect(await envOf(join(home, "a"), { home })).toEqual([
        "../.locald.toml belongs to another user, so it is not read; move it away",
      ]);
      await chown(join(home, "a/locald.toml"), 12_345, 12_345);
      expect(await envOf(join(home, "a"), { home })).toMatchObject({ who: "home" });
    });
  },
);

test.if(process.getuid?.() === 0)(
  "a file of another user's that says something is named, but not to root (as root)",
  async () => {
    const foreign = async (from: string, uid: number, home: string) => {
      const its = await readProject(from, { home, uid });
      return its.kind === "project" ? its.project.foreign : its;
    };
    const files = { "a/locald.toml": own, "a/.env": "A=1\n", "b/Procfile": "web: x\n" };
    await withFiles(files, async (home) => {
      expect(await foreign(join(home, "a"), 1000, home)).toBeUndefined();
      for (const [folder, name] of [
        ["a", "a/.env"],
        ["a", "a/locald.toml"],
        ["b", "b/Procfile"],
      ] as const) {
        await chown(join(home, name), 12_345, 12_345);
        expect(await foreign(join(home, folder), 1000, home)).toBe(join(home, name));
        expect(await foreign(join(home, folder), 12_345, home)).toBeUndefined();
        expect(await foreign(join(home, folder), 0, home)).toBeUndefined();
        await chown(join(home, name), 0, 0);
        expect(await foreign(join(home, folder), 1000, home)).toBeUndefined();
      }
    });
  },
);

test("without a locald.toml a Procfile serves; without both there is none", async () => {
  await withFiles({ "a/Procfile": "web: x\n", "b/x": "" }, async (home) => {
    const its = await readProject(join(home, "a"), { home });
    expect(its).toMatchObject({ kind: "project", project: { name: "a" } });
    expect((await readProject(join(home, "b"), { home })).kind).toBe("none");
  });
});

test("Procfile.dev goes before Procfile, and a file that is named before both and locald.toml", async () => {
  const files = {
    "a/Procfile": "web: x\n",
    "a/Procfile.dev": "dev: x\n",
    "a/Procfile.test": "test: x\n",
    "b/locald.toml": '[services]\nown = "x"\n',
    "b/other.toml": '[services]\nother = "x"\n',
    "b/Procfile": "web: x\n",
  };
  await withFiles(files, async (home) => {
    const names = async (folder: string, file?: string): Promise<unknown> => {
      const its = await readProject(join(home, folder), { home, file });
      if (its.kind === "project") return its.project.services.map(({ name }) => name);
      return its.kind === "mistakes" ? its.mistakes : its.kind;
    };
    expect(await names("a")).toEqual(["dev"]);
    expect(await names("a", "Procfile")).toEqual(["web"]);
    expect(await names("a", "Procfile.test")).toEqual(["test"]);
    expect(await names("a", "none.toml")).toEqual(["none.toml: no such file"]);
    expect(await names("a", "Procfile.none")).toEqual(["Procfile.none: no such file"]);
    expect(await names("b")).toEqual(["own"]);
    expect(await names("b", "other.toml")).toEqual(["other"]);
    expect(await names("b", "Procfile")).toEqual(["web"]);
  });
});

const mistakes: [what: string, files: Files, told: string[]][] = [
  [
    "too large",
    { "a/locald.toml": "#".repeat(1024 * 1024 + 1) },
    ["locald.toml cannot be read: it is larger than 1024 KiB"],
  ],
  [
    "a folder",
    { "a/locald.toml/x": "" },
    ["locald.toml cannot be read: it is a folder, not a file"],
  ],
  [
    "an env file that is a folder",
    { "a/locald.toml": '[services.web]\ncommand = "x"\nenv_file = "x"\n', "a/x/y": "" },
    ["locald.toml:3 services.web.env_file: x: it is a folder, not a file"],
  ],
  [
    "an env file that is the terminal",
    { "a/locald.toml": '[services.web]\ncommand = "x"\nenv_file = "/dev/tty"\n' },
    ["locald.toml:3 services.web.env_file: /dev/tty: it is a device, not a file"],
  ],
  [
    "an env file without end",
    { "a/locald.toml": '[services.web]\ncommand = "x"\nenv_file = "/dev/zero"\n' },
    ["locald.toml:3 services.web.env_file: /dev/zero: it is a device, not a file"],
  ],
  [
    "a workdir that is not there",
    { "a/locald.toml": '[services.web]\ncommand = "x"\nworkdir = "wbe"\n' },
    ["locald.toml:3 services.web.workdir: there is no folder HOME/a/wbe"],
  ],
  [
    "a layer with mistakes",
    { ".locald.toml": "evn = {}\n", "a/locald.toml": own },
    ['../.locald.toml:1 evn: unknown key; did you mean "env"?'],
  ],
];

for (const [what, files, told] of mistakes) {
  test(`${what} is a mistake`, async () => {
    await withFiles(files, async (home) => {
      const its = await readProject(join(home, "a"), { home });
      const lines = its.kind === "mistakes" ? its.mistakes : [];
      expect(lines.map((line) => line.replaceAll(home, "HOME"))).toEqual(told);
    });
  });
}

test("bytes that are no text are a mistake", async () => {
  await withFiles({}, async (home) => {
    await writeFile(join(home, "locald.toml"), new Uint8Array([0xff, 0xfe]));
    expect(await readProject(home, { home })).toMatchObject({
      kind: "mistakes",
      mistakes: ["locald.toml cannot be read: it is not UTF-8 text"],
    } satisfies Partial<ReadProject>);
  });
});

test("a pipe in the file's place keeps nobody waiting", async () => {
  await withFiles({}, async (home) => {
    expect(Bun.spawnSync(["mkfifo", join(home, "locald.toml")]).exitCode).toBe(0);
    expect(await envOf(home, { home })).toEqual([
      "locald.toml cannot be read: it is a named pipe, not a file",
    ]);
  });
});

test("domains of config.toml are domains of projects", async () => {
  const files = {
    "config.toml": 'tlds = ["test"]\nport = 9\n',
    "a/locald.toml": `[project]\ndomain = "shop.test"\n${own}`,
  };
  await withFiles(files, async (home) => {
    const configFile = join(home, "config.toml");
    const its = await readProject(join(home, "a"), { home, configFile });
    expect(its).toMatchObject({ kind: "project", project: { domain: "shop.test" } });
  });
});

test("a command in a folder below finds its project", async () => {
  const files = { "a/locald.toml": own, "a/b/c/x": "", "d/Procfile": "", "e/x": "" };
  await withFiles(files, async (home) => {
    expect(await projectFolder(join(home, "a/b/c"), home)).toBe(join(home, "a"));
    expect(await projectFolder(join(home, "d"), home)).toBe(join(home, "d"));
    expect(await projectFolder(join(home, "e"), home)).toBe(join(home, "e"));
  });
});
