/** Instances of a service with a real daemon: behind one name, killed, and more or fewer of them by an edit. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { endNow } from "../support/daemon-place.ts";
import { eventually } from "../support/eventually.ts";
import { type ProjectPlace, projectPlace } from "../support/project-place.ts";
import { uniqueName } from "../support/servers.ts";

const name = uniqueName("shop");
let place: ProjectPlace;
let directory: string;

const toml = (instances: number) => `
[project]
name = "${name}"
[services.web]
instances = ${instances}
command = """exec bun -e 'Bun.serve({
  port: Number(process.env.PORT),
  hostname: "127.0.0.1",
  fetch: () => new Response(process.env.INSTANCE),
})'"""
[services.after]
type = "worker"
command = "exec sleep 1000"
depends_on = ["web"]
`;

beforeAll(async () => {
  place = await projectPlace();
  directory = await place.project(name, toml(2));
}, 120_000);

afterAll(async () => {
  await place[Symbol.asyncDispose]();
}, 120_000);

async function answers(count: number): Promise<string[]> {
  const { port } = (await place.daemon.find()).registration!;
  const bodies: string[] = [];
  for (let at = 0; at < count; at++) {
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { Host: `${name}.localhost` },
    });
    expect(answer.status).toBe(200);
    bodies.push(await answer.text());
  }
  return bodies;
}

const states = async () =>
  Object.fromEntries((await place.rows()).map((row) => [row.service, row.state]));

test("requests go to each in turn, to the others while one is away, and to those that an edit adds", async () => {
  expect((await place.up(directory)).at(-1)).toBe("Ok");
  expect(await states()).toEqual({ "web-1": "ready", "web-2": "ready", after: "ready" });
  expect((await answers(4)).toSorted()).toEqual(["1", "1", "2", "2"]);
  endNow((await place.row(`${name}:web-1`)).pid!);
  // Whatever is known of it: no request fails meanwhile.
  await answers(6);
  await place.until(`${name}:web-1`, (row) => row.ready && row.restarts === 1);
  await place.write(`${directory}/locald.toml`, toml(3));
  await place.until(`${name}:web-3`, (row) => row.ready);
  const [first, second, after] = [
    await place.row(`${name}:web-1`),
    await place.row(`${name}:web-2`),
    await place.row(`${name}:after`),
  ];
  expect([first.restarts, second.restarts, after.restarts]).toEqual([1, 0, 0]);
  await eventually("all three answer", async () => new Set(await answers(3)).size === 3);
  await place.write(`${directory}/locald.toml`, toml(1));
  await place.gone(`${name}:web-3`);
  expect((await place.row(`${name}:web-1`)).pid).toBe(first.pid);
  expect(await answers(3)).toEqual(["1", "1", "1"]);
  expect(second.instance).toMatchObject({ of: "web", number: 2 });
}, 120_000);
