/** What a session of the page may have the supervisor do: start and stop what is known, as it was brought up. */
import { expect, test } from "bun:test";
import type { Projects } from "../../src/supervisor/projects.ts";
import { credential, fakeBackend, httpDoor, ask } from "./doors.ts";

const pageHost = "page-0123456789abcdef.localhost";
const page = {
  isHost: (name: string) => name === pageHost,
  session: (value: string) => value === "session",
  answer: () => undefined,
};

/** Notes what it is told to do. */
function open() {
  const told: unknown[] = [];
  const projects = {
    snapshots: () => [{ id: "shop:api", pid: 1, directory: "/srv/shop" }],
    ids: async () => ["shop:api"],
    registered: async () => [{ path: "/srv/shop" }],
    find: async () => ({ kind: "found", ids: ["shop:api"] }),
    stop: async (ids: unknown) => void told.push(["stop", ids]),
    restart: async (ids: unknown, { shell }: { shell: unknown }) => {
      told.push(["restart", ids, shell]);
      return { kind: "ready" };
    },
    resume: async (directory: unknown) => {
      told.push(["resume", directory]);
      return { kind: "ready" };
    },
    up: async (asked: { directory: unknown }) => {
      told.push(["up", asked.directory]);
      return { kind: "ready" };
    },
  } as unknown as Projects;
  const door = httpDoor({ page, backend: Object.assign(fakeBackend(), { projects }) });
  const headers = { "Content-Type": "application/json" };
  const bySession = {
    bearer: null,
    host: `${pageHost}:${door.port}`,
    headers: {
      ...headers,
      Cookie: "localhostess_session=session",
      Origin: `http://${pageHost}:${door.port}`,
    },
  };
  return {
    told,
    send: (path: string, body: unknown, by: "session" | "credential") =>
      ask(door, path, {
        method: "POST",
        body: JSON.stringify(body),
        ...(by === "session" ? bySession : { bearer: credential, headers }),
      }),
  };
}

test.each([
  ["/v1/start", { project_path: "/srv/shop" }],
  ["/v1/start", { project_path: "/tmp/strangers" }],
  ["/v1/start", { project_path: "/srv/shop", env: { PATH: "/tmp/strangers" } }],
  ["/v1/restart", { name: "shop:api", env: { PATH: "/tmp/strangers" } }],
  ["/v1/restart", { name: "shop:api", env: {} }],
])("by a session %s with %j does nothing; by the credential it does", async (path, body) => {
  const { told, send } = open();
  const refused = await send(path, body, "session");
  expect([refused.status, refused.error]).toEqual([403, "forbidden"]);
  expect(told).toEqual([]);
  expect((await send(path, body, "credential")).status).toBe(200);
  expect(told).toHaveLength(1);
});

test.each([
  ["/v1/restart", { name: "shop:api" }, [["restart", ["shop:api"], undefined]]],
  ["/v1/stop", { name: "shop:api" }, [["stop", ["shop:api"]]]],
  ["/v1/resume", { project_path: "/srv/shop" }, [["resume", "/srv/shop"]]],
  ["/v1/stop-all", {}, [["stop", ["shop:api"]]]],
  ["/v1/restart-all", {}, [["restart", ["shop:api"], undefined]]],
])("by a session %s with %j is done", async (path, body, does) => {
  const { told, send } = open();
  expect((await send(path, body, "session")).status).toBe(200);
  expect(told).toEqual(does);
});
