import { describe, expect, test } from "bun:test";
import { hintIn } from "../../src/text/hint.ts";
import {
  type Fault,
  faultText,
  meantBy,
  namelessText,
  namingCommand,
  type Unusable,
  unusableText,
} from "../../src/routes/unusable.ts";

function server(fault: Fault, its: Partial<Unusable> = {}): Unusable {
  return {
    pid: 17,
    startedAt: 0,
    port: 3000,
    ports: [3000],
    command: "bun server.ts",
    cwd: "/srv/api",
    typed: "bun server.ts",
    suggested: "api",
    fault,
    ...its,
  };
}

const noName = server({ kind: "no name" });
const badName = server({
  kind: "bad name",
  name: "My_App",
  wrong: "a name is made of letters, digits and inner hyphens",
  near: "my-app",
});
const overwritten = server({ kind: "overwritten" }, { typed: undefined, command: "puma 6.4" });
const inFile = server({ kind: "in a file", name: "shop", file: "/srv/api/.env" });

describe("each fault has its sentence: which process it is, and a command that was not run before", () => {
  test("a server without a NAME", () => {
    expect(unusableText(noName)).toBe(
      "pid 17 (bun server.ts) listens on port 3000 in /srv/api, and has no NAME in its environment; start it again with: NAME=api bun server.ts",
    );
  });

  test("a NAME that is not a name", () => {
    expect(unusableText(badName)).toBe(
      "pid 17 (bun server.ts) listens on port 3000 in /srv/api, and its NAME=My_App is not a usable name: a name is made of letters, digits and inner hyphens; start it again with: NAME=my-app bun server.ts",
    );
  });

  test("a NAME with nothing in it that a name could have", () => {
    const its = server({ kind: "bad name", name: "№", wrong: "no letter", near: undefined });
    expect(namingCommand(its)).toBe("NAME=api bun server.ts");
  });

  test("an environment that the program has overwritten: another NAME would be lost too", () => {
    expect(unusableText(overwritten)).toBe(
      "pid 17 (puma 6.4) listens on port 3000 in /srv/api, and has written its title over its environment, so that its NAME cannot be read, whatever it was; to name what listens there: localhostess name api 3000",
    );
  });

  test("a NAME in a file alone", () => {
    expect(unusableText(inFile)).toBe(
      "pid 17 (bun server.ts) listens on port 3000 in /srv/api; its NAME=shop is only in /srv/api/.env, which the program reads by itself, so that no other program sees it; start it again with: NAME=shop bun server.ts",
    );
  });

  test("the computer's name", () => {
    expect(unusableText(server({ kind: "computer's name", name: "DESK" }))).toContain(
      "its NAME=DESK is this computer's name",
    );
  });
});

test("a sentence has no more of a command than anyone reads, and counts further ports", () => {
  const its = server({ kind: "no name" }, { command: "x".repeat(500), ports: [3000, 3001, 3002] });
  expect(faultText(its)).toContain(`(${"x".repeat(79)}…) listens on port 3000 and 2 more`);
});

test("a folder is named only where it is known", () => {
  expect(faultText(server({ kind: "no name" }, { cwd: undefined }))).toBe(
    "pid 17 (bun server.ts) listens on port 3000, and has no NAME in its environment",
  );
});

describe("a name that leads nowhere means", () => {
  test("a server whose folder has the name, whatever stands before the name's first dot", () => {
    expect(meantBy("api", [noName])).toEqual([noName]);
    expect(meantBy("api.shop", [noName])).toEqual([noName]);
    expect(meantBy("shop.api", [noName])).toEqual([]);
    expect(meantBy("other", [noName])).toEqual([]);
  });

  test("a server whose NAME is not usable, as written or as it could be", () => {
    for (const name of ["my_app", "my-app"]) expect(meantBy(name, [badName])).toEqual([badName]);
    expect(meantBy("app", [badName])).toEqual([]);
  });

  test("a server whose file has the name, before one whose name is lost", () => {
    expect(meantBy("shop", [overwritten, inFile, noName])).toEqual([inFile]);
  });

  test("a server whose name is lost, whatever the name, unless another is meant: by its folder, or its NAME", () => {
    expect(meantBy("anything", [overwritten])).toEqual([overwritten]);
    const other = { cwd: "/srv/other", suggested: "other" };
    const [old, late] = [1, 2].map((startedAt) => ({ ...overwritten, ...other, startedAt }));
    expect(meantBy("shop", [old!, late!])).toEqual([late!, old!]);
    expect(meantBy("api", [old!, late!, overwritten])).toEqual([overwritten]);
    expect(meantBy("my_app", [late!, badName])).toEqual([badName]);
  });
});

test("servers without a name are told one by one where there is one, and else counted", () => {
  expect(namelessText([])).toBeUndefined();
  expect(namelessText([noName])).toBe(faultText(noName));
  const later = server({ kind: "no name" }, { pid: 18, startedAt: 5 });
  expect(namelessText([noName, later, noName])).toBe(
    "3 servers run without a name (the latest is pid 18 (bun server.ts), which listens on port 3000 in /srv/api): localhostess ls",
  );
});

test("a program is given no command line of another program to run: only the sentence has it", () => {
  const hints = [noName, badName, overwritten, inFile].map((its) => hintIn(unusableText(its)));
  expect(hints).toEqual([null, null, "localhostess name api 3000", null]);
});
