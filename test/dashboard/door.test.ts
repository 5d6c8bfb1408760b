/**
 * Who gets through the page's door with a link or a cookie that is right: its owner's browser, and only from our
 * own page.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startHttp } from "../../src/control/http/http.ts";
import { dashboard } from "../../src/dashboard/dashboard.ts";
import { sessionLifetime, sessions } from "../../src/dashboard/session.ts";
import { systemClock } from "../../src/system/clock.ts";
import { fakeBackend, readAnswer } from "../control/doors.ts";
import { daemonPlace } from "../support/daemon-place.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { asOther, asRoot, canBeOther } from "../support/other-user.ts";
import { connectRaw } from "../support/raw-end.ts";
import { credential, type PageServer, startPageServer } from "./page-server.ts";

/** A GET of a URL of ours, by the Host that the URL has and with these fields only. */
async function get(url: string, fields: Record<string, string> = {}) {
  const { host, port, pathname, search } = new URL(url);
  const lines = [`GET ${pathname}${search} HTTP/1.1`, `Host: ${host}`, "Connection: close"];
  for (const [name, value] of Object.entries(fields)) lines.push(`${name}: ${value}`);
  const client = await connectRaw(Number(port), { send: `${lines.join("\r\n")}\r\n\r\n` });
  const answer = readAnswer(await client.rest());
  client.close();
  return answer;
}

/** As a browser follows a link: to the page's own host. */
async function enter(link: string) {
  const opened = await get(link);
  return opened.status === 303 ? get(opened.headers.get("location")!) : opened;
}

function at(url: string, path: string): string {
  return new URL(path, url).href;
}

describe("a link of the person's own", () => {
  test("lets no other user's browser in, and is not used up by it", async () => {
    let own: boolean | undefined = false;
    const signs = sessions({ clock: systemClock, credential: () => credential });
    const fault = (error: unknown): void => {
      throw error;
    };
    const door = startHttp({
      clock: systemClock,
      credential: () => credential,
      allowedOrigins: [],
      backend: fakeBackend(),
      page: dashboard({
        sessions: signs,
        script: async () => "",
        fault,
      }),
      ownClient: () => own,
      fault,
    });
    try {
      const link = `${door.url}/open?token=${signs.issue("link")}`;
      const stranger = await get(link);
      expect(stranger.status).toBeWithin(400, 500);
      own = true;
      const entry = (await get(link)).headers.get("location")!;
      own = false;
      expect((await get(entry)).status).toBeWithin(400, 500);
      own = true;
      expect((await get(entry)).headers.get("set-cookie")).toStartWith("localhostess_session=");
    } finally {
      await door.stop();
    }
  });

  test.skipIf(!canBeOther)(
    `signs nobody in who has it from a list of processes ${asRoot}`,
    async () => {
      await using place = await daemonPlace();
      await place.start();
      const link = (await place.run("dashboard", "--print")).out.trim();
      const { host, port, pathname, search } = new URL(link);
      const head = `GET ${pathname}${search} HTTP/1.1\\r\\nHost: ${host}\\r\\nConnection: close\\r\\n\\r\\n`;
      const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf '${head}' >&3; cat <&3`;
      const stranger = Bun.spawn(asOther(["bash", "-c", script]), {
        cwd: "/",
        env: { PATH: "/usr/bin:/bin" },
        stdout: "pipe",
        detached: true,
      });
      const theirs = readAnswer(await stranger.stdout.text());
      expect(theirs.status).toBeWithin(400, 500);
      expect(theirs.headers.get("location")).toBeNull();
      const ours = await enter(link);
      expect(ours.headers.get("set-cookie")).toStartWith("localhostess_session=");
    },
    30_000,
  );
});

describe("a cookie that is a session", () => {
  let server: PageServer;
  let page = "";
  let Cookie = "";
  beforeAll(async () => {
    server = await startPageServer();
    Cookie = (await enter(server.open())).headers.get("set-cookie")!.split(";")[0]!;
    page = at(server.pageUrl, "/");
  });
  afterAll(() => server.stop());

  test("opens the page for an address that was typed, and nothing for what a script or an extension asks as if it was", async () => {
    const typed = { Cookie, "Sec-Fetch-Site": "none" };
    expect((await get(page, { ...typed, "Sec-Fetch-Mode": "navigate" })).status).toBe(200);
    for (const path of ["/", "/page.css", "/v1/services", "/v1/events"]) {
      const url = at(page, path);
      expect([path, (await get(url, typed)).status]).toEqual([path, 401]);
      for (const mode of ["cors", "no-cors", "same-origin", "websocket"]) {
        const got = await get(url, { ...typed, "Sec-Fetch-Mode": mode });
        expect([path, mode, got.status]).toEqual([path, mode, 401]);
      }
    }
  });
});

describe("a session", () => {
  const at = (now: number) =>
    sessions({ clock: new FakeClock(now), credential: () => "c".repeat(64) });

  test("of a clock that was ahead ends when the clock is set right, and does not last for as long as it was ahead", () => {
    const now = 1_766_000_000_000;
    const ahead = at(now + 365 * 24 * 60 * 60 * 1_000);
    const token = "e".repeat(64);
    const session = ahead.begin(token);
    const host = ahead.hostFor(token);
    expect(ahead.valid(session, host)).toBe(true);
    expect(at(now).valid(session, host)).toBe(false);
    const little = at(now + 1);
    expect(at(now).valid(little.begin(token), host)).toBe(false);
    expect(at(now + sessionLifetime).valid(little.begin(token), host)).toBe(true);
  });
});
