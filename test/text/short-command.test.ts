import { expect, test } from "bun:test";
import { foldedCommand, shortCommand, typedCommand } from "../../src/text/short-command.ts";

test("a command is shown without the folders of its program and of its own files", () => {
  expect(shortCommand("/usr/bin/node /srv/api/server.js --port 3000", "/srv/api")).toBe(
    "node server.js --port 3000",
  );
  expect(shortCommand("/srv/api/bin/server /srv/apish", "/srv/api")).toBe("bin/server /srv/apish");
  expect(shortCommand("/srv/api/server", "/srv/api")).toBe("./server");
  expect(shortCommand("bun dev", undefined)).toBe("bun dev");
  expect(shortCommand("/usr/bin/python3 /usr/lib/x", "/")).toBe("python3 /usr/lib/x");
  expect(shortCommand("", "/srv")).toBe("");
  expect(shortCommand("/opt/node_modules/bun/bin/bun.exe dev", "/srv")).toBe("bun dev");
});

test("a package is shown by its name, without what runs it and where it is", () => {
  const at = (command: string) => shortCommand(command, "/srv/api");
  expect(at("node /srv/api/node_modules/.bin/vite --port 3")).toBe("vite --port 3");
  expect(at("/usr/bin/node /srv/node_modules/next/dist/bin/next dev")).toBe("next dev");
  expect(at("node node_modules/vite/bin/vite.js")).toBe("vite");
  expect(at("/srv/api/.venv/bin/python3 /srv/api/.venv/bin/gunicorn app:app")).toBe(
    "gunicorn app:app",
  );
  expect(at("/srv/api/node_modules/bun/bin/bun.exe dev.ts")).toBe("bun dev.ts");
  expect(at("python3 -m http.server")).toBe("python3 -m http.server");
  expect(at("node src/bin.js")).toBe("node src/bin.js");
  // To be pasted, it has to be the very file.
  expect(typedCommand("node /srv/api/node_modules/.bin/vite", "/srv/api")).toBe(
    "node node_modules/.bin/vite",
  );
});

test("a command line that was made to take time takes none", () => {
  const began = performance.now();
  shortCommand(`node ${"node_modules/".repeat(200_000)}`, "/srv");
  expect(performance.now() - began).toBeLessThan(1_000);
});

test("a command to be pasted is quoted, whatever a program has written into it", () => {
  expect(typedCommand("bun dev", "/srv")).toBe("bun dev");
  expect(typedCommand("node x.js; rm -rf ~", "/srv")).toBe("node 'x.js;' rm -rf '~'");
  expect(typedCommand("node $(reboot) `x`", "/srv")).toBe("node '$(reboot)' '`x`'");
  expect(typedCommand("node \x1b[2J", "/srv")).toBe("node $'\\033[2J'");
});

test("a title, a kernel's name and a command of a page are not what anyone would type", () => {
  expect(typedCommand("nginx: master process nginx", "/srv")).toBeUndefined();
  expect(typedCommand("[kthreadd]", "/")).toBeUndefined();
  expect(typedCommand("", "/")).toBeUndefined();
  expect(typedCommand("LD_PRELOAD=/tmp/x.so node x.js", "/")).toBeUndefined();
  expect(typedCommand("/bin/A=b x.js", "/")).toBeUndefined();
  expect(typedCommand(`node ${"x".repeat(300)}`, "/")).toBeUndefined();
});

test("a command in several lines is one command to a shell, and each line fits", () => {
  const command = `printf %s, ${Array.from({ length: 40 }, (_, at) => `word${at}`).join(" ")}`;
  for (const columns of [20, 40, 78, 1000]) {
    const lines = foldedCommand(command, columns);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    const { stdout } = Bun.spawnSync(["sh", "-c", lines.join("\n")]);
    expect(stdout.toString()).toBe(`${command.split(" ").slice(2).join(",")},`);
  }
  expect(foldedCommand("bun dev", 80)).toEqual(["bun dev"]);
  expect(foldedCommand("bun x".concat("x".repeat(50)), 20)).toEqual([
    "bun \\",
    `  x${"x".repeat(50)}`,
  ]);
});
