import { expect, test } from "bun:test";
import { errorPage, type Problem } from "../../src/proxy/pages/error-page.ts";
import type { Unusable } from "../../src/routes/unusable.ts";
import { jsonFaults } from "../support/json-style.ts";
import type { Unanswered } from "../../src/routes/unanswered.ts";
import { encodeReply } from "../../src/proxy/pages/reply.ts";

const unknown = {
  status: 404,
  name: "ap",
  names: ["api", "web"],
  nearest: "api",
  port: 9090,
  securePort: 9443,
} as const;
const failed = {
  status: 502,
  name: "api",
  address: "::1",
  port: 3000,
  pid: 4242,
  command: "bun dev",
  why: "connection refused",
} as const;

function nameless(its: Partial<Unusable> = {}): Unusable {
  return {
    pid: 31_338,
    startedAt: 0,
    port: 3000,
    ports: [3000],
    command: "bun server.ts",
    cwd: "/srv/ap",
    typed: "bun server.ts",
    suggested: "ap",
    fault: { kind: "no name" },
    ...its,
  };
}

const told = { details: true };
const textOf = (problem: Problem): string => errorPage(problem, "text", told).body;
const htmlOf = (problem: Problem): string => errorPage(problem, "html", told).body;
const errorOf = (problem: Problem): Record<string, unknown> =>
  JSON.parse(errorPage(problem, "json", told).body).error;

function hostileServer(text: string): Unusable {
  const fault = { kind: "overwritten" } as const;
  return nameless({ command: text, cwd: text, typed: text, suggested: text, fault });
}

function everyUnanswered(text: string): readonly Unanswered[] {
  const its = { by: text, label: text, folder: text, branch: text, command: text };
  const store = { by: text, id: text, protocol: "Redis", port: 6379 } as const;
  return [
    ...(["worktree", "branch", "left", "strict"] as const).map((kind) => ({ ...its, kind })),
    { ...store, kind: "store" },
  ];
}

/** Every problem, made of one text that a stranger may have sent. */
function everyProblem(text: string): readonly Problem[] {
  return [
    { status: 400, why: text },
    { ...unknown, kept: text },
    { ...failed, address: `/${text}`, port: 0, pid: undefined, because: text },
    { status: 405, allow: "GET, HEAD" },
    { status: 408 },
    { status: 408, still: 60 },
    { status: 421, host: text },
    { status: 421, host: text, certificate: text },
    ...everyUnanswered(text).map((unanswered) => ({ ...unknown, name: text, unanswered })),
    { status: 431, limit: 65_536 },
    { status: 414, limit: 65_536 },
    { status: 503, why: text },
    { status: 505, version: text },
    { status: 508, name: text },
    { ...unknown, name: text, names: [text, text], nearest: text },
    { ...unknown, name: text, names: [], nearest: undefined },
    { ...unknown, name: text, unusable: [hostileServer(text), hostileServer(text)] },
    { ...unknown, path: text },
    ...(["request", "all"] as const).map((by): Problem => ({
      ...{ status: 404, unshown: text, origin: text, label: text, version: text, by, port: 9090 },
      ...{ isWorktree: by === "all", labels: [text, text] },
    })),
    { ...failed, name: text, address: text, command: text, why: text },
    { ...failed, status: 504, name: text, address: text, command: text, why: text },
  ];
}

const hostile = [
  `"'><script>alert(1)</script><img src=x onerror=y>`,
  "\x1b[2J\x1b]0;owned\x07\r\nSet-Cookie: a=b\0\x7f\x9b\u202e\u2028",
  "a".repeat(60 * 1024),
  "<".repeat(60 * 1024),
  "",
  "\ud800",
];

test.each(hostile)("a stranger's text is shown and does nothing: %.30j", (text) => {
  for (const problem of everyProblem(text)) {
    for (const wants of ["html", "json", "text"] as const) {
      const reply = errorPage(problem, wants);
      expect(reply.status).toBe(problem.status);
      // Room for the style, and for a few texts that were cut and then escaped.
      expect(reply.body.length).toBeLessThan(20_000);
      expect(reply.body).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]/);
      if (wants === "html") expect(reply.body).not.toMatch(/<script|<img/i);
      if (wants === "text") expect(reply.body).toMatch(/^localhostess: [^\n]+\n$/);
      if (wants === "json") expect(JSON.parse(reply.body).error.status).toBe(problem.status);
      expect(() => encodeReply(reply, { head: false, close: true })).not.toThrow();
    }
  }
});

test("every problem has a code of its own, and a heading", () => {
  const problems = everyProblem("x");
  const codes = new Set(problems.map((problem) => errorOf(problem).code));
  expect(codes.size).toBe(18);
  for (const problem of problems) expect(htmlOf(problem)).toMatch(/<h1>[^<]+<\/h1>/);
});

test("an unknown name gets the names that exist, the nearest, and how to start one", () => {
  expect(textOf(unknown)).toBe(
    "localhostess: no server is named ap; did you mean api? (running: api, web; to start it: NAME=ap bun dev)\n",
  );
  const body = htmlOf(unknown);
  expect(body).toMatch(/Did you mean\s+<a href="http:\/\/api\.localhost:9090\/"\s*><strong>api</);
  expect(body).toContain('<a href="http://web.localhost:9090/">web</a>');
  expect(body).toContain("NAME=ap bun dev");
  expect(errorOf(unknown)).toMatchObject({
    code: "unknown_name",
    name: "ap",
    names: ["api", "web"],
    nearest: "api",
    url: "http://api.localhost:9090",
  });
});

test("an unknown name that a running server was probably meant by gets that server, and no command that was just run", () => {
  const problem: Problem = { ...unknown, nearest: undefined, unusable: [nameless()] };
  const why =
    "pid 31338 (bun server.ts) listens on port 3000 in /srv/ap, and has no NAME in its environment";
  expect(textOf(problem)).toBe(
    `localhostess: no server is named ap; ${why}; start it again with: NAME=ap bun server.ts\n`,
  );
  expect(htmlOf(problem)).toContain(why);
  expect(htmlOf(problem)).toContain("<pre>NAME=ap bun server.ts</pre>");
  expect(errorOf(problem).unusable).toEqual([
    { pid: 31_338, ports: [3000], fault: "no name", why, fix: "NAME=ap bun server.ts" },
  ]);
  const lost = { ...problem, unusable: [nameless({ fault: { kind: "overwritten" } })] };
  expect(htmlOf(lost)).toContain("localhostess name ap 3000");
});

test("a name that is nearly there is told before a server that may have any name, and not beside one that has this", () => {
  const known = textOf({ ...unknown, unusable: [nameless()] });
  expect(known).toStartWith("localhostess: no server is named ap; pid 31338 ");
  expect(htmlOf({ ...unknown, unusable: [nameless()] })).not.toContain("Did you mean");
  const lost = nameless({ fault: { kind: "overwritten" }, cwd: "/srv/x", suggested: "x" });
  const any = textOf({ ...unknown, unusable: [lost] });
  expect(any).toStartWith("localhostess: no server is named ap; did you mean api? pid 31338 ");
});

test("servers without a name that were hardly meant are still told, below the others", () => {
  const unusable = [nameless({ cwd: "/srv/x", suggested: "x" })];
  expect(textOf({ ...unknown, unusable })).toContain(
    "to start it: NAME=ap bun dev); pid 31338 (bun server.ts) listens on port 3000 in /srv/x",
  );
  expect(htmlOf({ ...unknown, unusable })).toContain("pid 31338");
  expect(errorOf({ ...unknown, unusable }).unusable).toEqual([]);
});

test("where nothing runs, the page says so and still says how to start", () => {
  const problem: Problem = { ...unknown, names: [], nearest: undefined };
  expect(textOf(problem)).toBe(
    "localhostess: no server is named ap (none is running; to start it: NAME=ap bun dev)\n",
  );
  expect(htmlOf(problem)).toContain("No named server is running now.");
});

test("a name that a shell would read otherwise is in no command", () => {
  for (const name of ["$(reboot)", "a;b", "-x", "a b", ""]) {
    expect(textOf({ ...unknown, name })).toContain("NAME=api bun dev");
    expect(htmlOf({ ...failed, name })).toContain("localhostess why &lt;name&gt;");
  }
});

test("many names are counted, not all shown in one line", () => {
  const names = Array.from({ length: 500 }, (_, index) => `app${index}`);
  expect(textOf({ ...unknown, names })).toContain("app11 and 488 more;");
  expect(htmlOf({ ...unknown, names })).toContain("And 400 more.");
});

test("a path of localhost that is no page is not taken for a name", () => {
  const problem: Problem = { ...unknown, name: "localhost", path: "/favicon.ico" };
  expect(textOf(problem)).toContain("has no page /favicon.ico");
  expect(htmlOf(problem)).toContain('href="http://localhost:9090/"');
  expect(htmlOf(problem)).not.toContain("refresh");
  expect(errorOf(problem)).toMatchObject({ code: "no_such_page", path: "/favicon.ico" });
});

test("as JSON every problem has a code and keys in snake_case, a message and a hint", () => {
  for (const problem of everyProblem("x")) {
    for (const details of [true, false]) {
      const value = JSON.parse(errorPage(problem, "json", { details }).body) as { error: object };
      expect(jsonFaults(value)).toEqual([]);
      expect(value.error).toMatchObject({
        code: expect.stringMatching(/^[a-z_]+$/),
        message: expect.any(String),
        status: problem.status,
      });
      expect(value.error).toHaveProperty("hint");
    }
  }
});

test("a server that failed is named with who was dialled, and why it failed", () => {
  expect(textOf(failed)).toBe(
    "localhostess: api runs but did not answer at [::1]:3000 (pid 4242, bun dev): connection refused\n",
  );
  for (const text of ["[::1]:3000", "connection refused", "pid 4242", "localhostess why api"]) {
    expect(htmlOf(failed)).toContain(text);
  }
  expect(errorOf(failed)).toEqual({
    code: "upstream_failed",
    message: "api runs but did not answer at [::1]:3000 (pid 4242, bun dev): connection refused",
    hint: null,
    status: 502,
    name: "api",
    address: "::1",
    port: 3000,
    pid: 4242,
    command: "bun dev",
    why: "connection refused",
  });
  expect(errorOf({ ...failed, status: 504 }).code).toBe("upstream_timeout");
});

test("a page that time may mend waits for the event, the others do not, and none is loaded by the time", () => {
  for (const problem of everyProblem("x")) {
    const mends =
      problem.status === 502 ||
      problem.status === 504 ||
      (problem.status === 404 && ("unshown" in problem || problem.path === undefined));
    for (const details of [true, false]) {
      const { fields, body } = errorPage(problem, "html", { details, mark: "0".repeat(32) });
      expect(fields.map(([name]) => name)).not.toContain("Refresh");
      expect(body.includes("<script>")).toBe(mends);
      expect(/<a href="">/.test(body)).toBe(mends);
      const sent = errorPage(problem, "html", { details }).body;
      expect(sent).not.toContain("<script>");
      expect(/<a href="">/.test(sent)).toBe(mends);
    }
  }
});

test("those who are told no details get the same code, and no other name, process, address or command", () => {
  const untold = [
    { ...unknown, name: "mistyped", names: ["alpha", "beta"], nearest: "alpha" },
    { ...unknown, name: "mistyped", path: "/x", names: ["alpha", "beta"], nearest: "alpha" },
    { ...unknown, name: "ap", names: ["beta"], nearest: undefined, unusable: [nameless()] },
    { ...failed, address: "127.9.9.9", port: 31_337, command: "run --secret" },
    { ...failed, status: 504, address: "127.9.9.9", port: 31_337, command: "run --secret" },
  ] as const satisfies Problem[];
  for (const problem of untold) {
    for (const wants of ["html", "json", "text"] as const) {
      const { status, body } = errorPage(problem, wants);
      expect(status).toBe(problem.status);
      for (const detail of ["alpha", "beta", "127.9.9.9", "31337", "31338", "4242", "secret"]) {
        expect(body).not.toContain(detail);
        const whole = errorPage(problem, wants, told).body;
        const isPart = Object.values(problem)
          .flat()
          .map(String)
          .some((its) => its.includes(detail));
        if (isPart && detail !== "beta") expect(whole).toContain(detail);
      }
    }
    const { code, status, ...rest } = JSON.parse(errorPage(problem, "json").body).error;
    expect(code).toBe(errorOf(problem).code as string);
    expect(status).toBe(problem.status);
    expect(Object.keys(rest).sort()).toEqual(
      problem.status !== 404
        ? ["hint", "message", "name", "why"]
        : "path" in problem
          ? ["hint", "message", "path"]
          : ["hint", "message", "name"],
    );
  }
  expect(errorPage(untold[0], "text").body).toContain("localhostess ls");
  expect(errorPage(untold[3], "text").body).toContain("localhostess why api");
});

test("a foreign host learns which hosts are answered and why, not which servers run", () => {
  const body = htmlOf({ status: 421, host: "evil.example" });
  expect(body).toContain("evil.example");
  expect(body).toContain("DNS rebinding");
  expect(body).toContain(".localhost");
});

test("a head that is too large is explained by the cookies of localhost", () => {
  const problem: Problem = { status: 431, limit: 65_536 };
  expect(textOf(problem)).toContain("64 KiB");
  expect(htmlOf(problem)).toContain("Clear site data");
  expect(textOf({ status: 431, limit: 1000 })).toContain("1000 bytes");
});

test("a 405 has the Allow field in every form", () => {
  for (const wants of ["html", "json", "text"] as const) {
    expect(errorPage({ status: 405, allow: "GET, HEAD" }, wants).fields).toContainEqual([
      "Allow",
      "GET, HEAD",
    ]);
  }
});

test("a name of another worktree has the command that starts its server there, and not for a script's page", () => {
  const unanswered = {
    kind: "worktree",
    by: "api",
    label: "fix",
    folder: "/w/fix <1>",
    command: "cd '/w/fix <1>' && NAME=api bun dev",
  } as const;
  const problem: Problem = { ...unknown, name: "fix.api", unanswered };
  expect(htmlOf(problem)).toContain(
    "cd &#39;/w/fix &lt;1&gt;&#39; &amp;&amp; NAME=api bun dev</pre>",
  );
  expect(htmlOf(problem)).toContain('<a href="http://api.localhost:9090/">api</a>');
  expect(textOf(problem)).toContain(
    "fix is the worktree /w/fix <1>, for which api does not answer",
  );
  const { code, hint, command, by } = errorOf(problem);
  expect({ code, command, by }).toEqual({
    code: "other_checkout",
    command: unanswered.command,
    by: "api",
  });
  // No program follows what it did not look at: the folder is somebody's choice.
  expect(hint).toBeNull();
  for (const form of ["html", "text", "json"] as const) {
    expect(errorPage(problem, form).body).not.toContain("/w/fix");
  }
});

test("a name that is kept for a place says so, and to those who are told no details, nothing of it", () => {
  const kept = "localhostess name gives it to port 5432, and nothing listens on port 5432";
  const problem: Problem = { ...unknown, nearest: undefined, kept };
  expect(textOf(problem)).toBe(`localhostess: no server is named ap; ${kept}\n`);
  expect(htmlOf(problem)).toContain(`<p>${kept}.</p>`);
  for (const form of ["text", "html", "json"] as const) {
    expect(errorPage(problem, form, { details: false }).body).not.toContain("5432");
  }
});

test("a service without a known process is told by its place, and where its name is from", () => {
  const because = "localhostess name gives it to /run/api.sock";
  const problem: Problem = {
    ...failed,
    ...{
      address: "/run/api.sock",
      port: 0,
      pid: undefined,
      command: "unix:/run/api.sock",
      because,
    },
  };
  expect(textOf(problem)).toBe(
    `localhostess: api did not answer at /run/api.sock (${because}): connection refused\n`,
  );
  expect(errorOf(problem)).toMatchObject({ address: "/run/api.sock", port: null, pid: null });
  expect(htmlOf(problem)).toContain("/run/api.sock");
  expect(htmlOf(problem)).not.toMatch(/undefined|null|:0/);
});
