/** An engine and an image -> the tests of services in its containers: built by us, and attached to. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { session } from "../cli/cli.ts";
import type { ContainerEngine } from "./container-engine.ts";
import { eventually } from "./eventually.ts";
import { type ProjectPlace, projectPlace } from "./project-place.ts";

const patience = 120_000;

/** `engine`: known once the tests run. `alikeTest`: for what is the same with every engine. */
export function builtServices({
  engine,
  image,
  alikeTest,
}: {
  engine(): ContainerEngine;
  image: string;
  alikeTest: (...args: Parameters<typeof test>) => void;
}): void {
  let place: ProjectPlace;
  beforeAll(async () => {
    place = await projectPlace();
  }, patience);
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
  }, patience);

  const shell = () => ({
    env: { PATH: process.env.PATH!, DOCKER_HOST: `unix://${engine().socket}` },
  });

  async function get(id: string): Promise<string> {
    const { url } = await place.row(id);
    return await (await fetch(url!, { headers: { Host: new URL(url!).host } })).text();
  }

  /** Those that are built for services, with a name or without. */
  async function built(): Promise<string[]> {
    const filters = encodeURIComponent('{"label":["localhostess.built"]}');
    const all = JSON.parse(await engine().api("GET", `/images/json?filters=${filters}`));
    return (all as { RepoTags: string[] | null }[]).map(({ RepoTags }) => String(RepoTags));
  }

  test(
    "one is built from its folder, answers by its name, and is built anew from what has changed",
    async () => {
      const directory = await place.project(
        "built",
        `[services.web]
type = "container"
build = { context = "src", args = { WORD = "given" }, target = "web" }
container_port = 80
stop_timeout = "1s"
`,
      );
      const src = join(directory, "src");
      mkdirSync(src);
      const file = `FROM ${image} AS web
ARG WORD=none
COPY page /www/index.html
RUN echo "building with $WORD"; echo $WORD >> /www/index.html
CMD ["/bin/httpd", "-f", "-p", "80", "-h", "/www"]
FROM web AS other
RUN exit 1
`;
      writeFileSync(join(src, "Dockerfile"), file);
      writeFileSync(join(src, "page"), "the first\n");
      expect((await place.up(directory, shell())).at(-1)).toBe("Ok");
      expect(await get("built:web")).toBe("the first\ngiven\n");
      expect(await place.logs("built:web")).toContain("building with given");
      // Of the container, and not of the client of its engine.
      expect(await place.row("built:web")).toMatchObject({
        ...{ command: "the image of its Dockerfile", cpu: null, memory: null },
      });
      writeFileSync(join(src, "page"), "the second\n");
      await place.send({ Stop: { name: "built:web" } });
      expect((await place.up(directory, shell())).at(-1)).toBe("Ok");
      expect(await get("built:web")).toBe("the second\ngiven\n");
      // The one before is used by no container any more.
      const images = await built();
      expect(images).toHaveLength(1);
      expect(images[0]).toMatch(/localhostess\/built-[0-9a-f]{8}-web:latest/);
      await place.send({ Stop: { name: "built:web" } });
    },
    patience,
  );

  alikeTest(
    "with watch, an image is made beside the container that runs, which makes way only where that succeeded",
    async () => {
      const directory = await place.project(
        "watched",
        `[services.web]
type = "container"
build = "src"
watch = ["src"]
container_port = 80
stop_timeout = "1s"
`,
      );
      const src = join(directory, "src");
      mkdirSync(src);
      const file = (step: string): string =>
        `FROM ${image}\nCOPY page /www/index.html\nRUN ${step}\n` +
        'CMD ["/bin/httpd", "-f", "-p", "80", "-h", "/www"]\n';
      writeFileSync(join(src, "page"), "the first\n");
      writeFileSync(join(src, "Dockerfile"), file("true"));
      expect((await place.up(directory, shell())).at(-1)).toBe("Ok");
      const { pid } = await place.row("watched:web");
      writeFileSync(join(src, "Dockerfile"), file("exit 3"));
      const failed = await place.until(
        "watched:web",
        ({ warnings }) => warnings.length > 0,
        patience,
      );
      expect(failed).toMatchObject({ state: "ready", pid });
      expect(failed.warnings[0]).toContain("its last build failed (");
      expect(failed.warnings[0]).toContain("failed with exit code 3");
      expect(await get("watched:web")).toBe("the first\n");
      writeFileSync(join(src, "page"), "the second\n");
      writeFileSync(join(src, "Dockerfile"), file("true"));
      await eventually(
        "the second page is there",
        async () => (await get("watched:web")) === "the second\n",
        patience,
      );
      expect((await place.row("watched:web")).warnings).toEqual([]);
      await place.send({ Stop: { name: "watched:web" } });
    },
    patience,
  );

  test(
    "one that cannot be built says at which step, and the rest starts",
    async () => {
      const directory = await place.project(
        "broken",
        '[services.web]\ntype = "container"\nbuild = "."\nport = 80\n' +
          '[services.ticks]\ntype = "worker"\ncommand = "sleep 60"\n',
      );
      writeFileSync(join(directory, "Dockerfile"), `FROM ${image}\nRUN echo working; exit 3\n`);
      const lines = await place.up(directory, shell());
      const sentence = "step 2/3 of Dockerfile failed with exit code 3: RUN echo working; exit 3";
      expect(lines.at(-1)).toEqual({ Error: expect.stringContaining(sentence) });
      expect(await place.row("broken:web")).toMatchObject({ state: "failed" });
      expect(await place.row("broken:ticks")).toMatchObject({ state: "ready" });
      expect(await place.logs("broken:web")).toContain("working");
      await place.send({ Stop: { name: "broken:ticks" } });
    },
    patience,
  );

  test(
    "attach is at the terminal of the program inside: keys, Ctrl-C and the size are its own",
    async () => {
      const directory = await place.project(
        "talk",
        `[services.shell]
type = "container"
image = "${image}"
stop_timeout = "1s"
command = '''sh -c 'trap "echo caught" INT; while :; do read -r x && echo got $x && busybox stty size; done' '''
`,
      );
      expect((await place.up(directory, shell())).at(-1)).toBe("Ok");
      await using its = session(["attach", "talk:shell"], {
        ...{ env: { LOCALHOSTESS_STATE_DIR: place.daemon.directory }, columns: 87 },
      });
      await its.until((text) => text.includes("attached to talk:shell"));
      its.type("one\r");
      await its.until((text) => text.includes("got one"));
      // The size takes a while from terminal to terminal.
      await eventually("it has the size", () => {
        its.type("again\r");
        return its.output().includes("24 87");
      });
      // A shell that is just between two commands may take no notice.
      await eventually("it hears of Ctrl-C", () => {
        its.type("\u0003");
        return its.output().includes("caught");
      });
      its.type("two\r");
      await its.until((text) => text.includes("got two"));
      its.type("\u001d");
      expect(await its.ended()).toBe(0);
      expect(await place.row("talk:shell")).toMatchObject({ state: "ready" });
      await place.send({ Stop: { name: "talk:shell" } });
    },
    patience,
  );
}
