/** A fresh Debian with a package at hand -> what alice and bob do with it, in order, each step checked. */
import type { Ended } from "../../support/ended.ts";
import type { Person, ThrowawaySystem } from "../../support/throwaway-system.ts";

export type How = "deb" | "npm";

export type WalkOptions = {
  how: How;
  withChromium: boolean;
  /** Where the packages of npm are served, inside. */
  registry?: string;
  say(line: string): void;
};

type Step = (title: string, work: () => Promise<void>) => Promise<void>;
type Does = (script: string, as: Person, ...wanted: (string | RegExp)[]) => Promise<void>;
type Until = (script: string, as: Person, wanted: string | RegExp) => Promise<void>;

function personOf(name: string, uid: number): Person {
  const home = `/home/${name}`;
  const env = { HOME: home, USER: name, LOGNAME: name, SHELL: "/bin/bash", LANG: "C.UTF-8" };
  const PATH = `${home}/.npm-global/bin:/usr/local/bin:/usr/bin:/bin`;
  // Caches of the clients are no files of ours.
  const clients = { npm_config_cache: `/tmp/npm-${name}` };
  return { uid, env: { ...env, ...clients, PATH } };
}

/** sudo looks in folders of the system alone, and npm's are a person's own. */
const asRoot = 'sudo "$(command -v localhostess)"';

export const alice = personOf("alice", 1000);
export const bob = personOf("bob", 1001);

const chromium = (url: string): string =>
  `chromium --headless --no-sandbox --disable-gpu --user-data-dir=/tmp/chromium-profile --dump-dom ${url}`;

/** Another package that comes and goes: apt then writes priorities into dpkg's list that its own list has by now. */
const another = `
mkdir -p /tmp/another/DEBIAN
printf '%s\\n' 'Package: another' 'Version: 1' 'Architecture: all' 'Maintainer: x <x@x>' 'Description: x' \
  > /tmp/another/DEBIAN/control
dpkg-deb --build /tmp/another /tmp/another.deb
dpkg -i /tmp/another.deb
apt-get purge --yes another
rm -r /tmp/another /tmp/another.deb`;

/** A system before we came: a home in which the clients have been used. */
export async function settle(
  system: ThrowawaySystem,
  { how, withChromium, registry }: WalkOptions,
) {
  if (withChromium) await must(system, chromium("about:blank"), alice);
  await must(system, "curl --version; psql --version; node --version; true | sudo -n true", alice);
  await must(system, another);
  // As after any package that was installed and removed there.
  if (how === "npm") {
    const lines = `prefix=/home/alice/.npm-global\nregistry=${registry}\nupdate-notifier=false\n`;
    for (const person of [alice, bob]) {
      const here = lines.replace("alice", person.env!.USER!);
      await must(
        system,
        `printf '${here}' > ~/.npmrc; mkdir -p ~/.npm-global/bin ~/.npm-global/lib/node_modules`,
        person,
      );
    }
  }
}

/** @throws with the output, unless it ends with `code`, where that is given. */
export async function must(
  system: ThrowawaySystem,
  script: string,
  as?: Person,
  code: number | "any" = 0,
): Promise<Ended> {
  const its = await system.sh(`cd\n${script}`, as);
  if (code === "any" || its.code === code) return its;
  throw new Error(`${script}\nended with ${its.code}\n${its.out}\n${its.err}`);
}

export function walk(system: ThrowawaySystem, options: WalkOptions) {
  const { how, withChromium, say } = options;
  const problems: string[] = [];
  const step = async (title: string, work: () => Promise<void>): Promise<void> => {
    const began = performance.now();
    try {
      await work();
      say(`ok    ${title} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    } catch (error) {
      problems.push(title);
      say(`WRONG ${title}\n${(error as Error).message.replace(/^/gm, "      ")}`);
    }
  };
  const has = (its: Ended, ...wanted: (string | RegExp)[]): void => {
    const all = `${its.out}\n${its.err}`;
    for (const words of wanted) {
      const isThere = typeof words === "string" ? all.includes(words) : words.test(all);
      if (!isThere) throw new Error(`no ${words} in:\n${all}`);
    }
  };
  const does = (script: string, as: Person, ...wanted: (string | RegExp)[]) =>
    must(system, script, as).then((its) => has(its, ...wanted));
  const until = async (script: string, as: Person, wanted: string | RegExp): Promise<void> => {
    for (let tries = 0; ; tries++) {
      const its = await must(system, script, as, "any");
      try {
        has(its, wanted);
        return;
      } catch (error) {
        if (tries === 60) throw error;
        await Bun.sleep(500);
      }
    }
  };

  return {
    problems,
    async live(): Promise<void> {
      await step(how === "deb" ? "sudo dpkg -i" : "npm install --global", async () => {
        const command =
          how === "deb" ? "sudo dpkg -i /mnt/*.deb" : "npm install --global localhostess";
        await does(command, alice);
        if (how === "npm") await does(command, bob);
        await does("localhostess --version", alice, /^\d+\.\d+\.\d+/);
      });
      await step("setup: ports and hosts, by one sudo", () =>
        does("localhostess setup --ports --hosts --yes", alice, "done"),
      );
      await step("trust", async () => {
        await must(system, "localhostess trust", alice, "any");
        await does("localhostess setup --trust --yes", alice, "done");
        await does("localhostess trust --status", alice);
      });
      await step("service install, without systemd", () =>
        does("localhostess service install", alice, ".profile"),
      );
      await step("a server with NAME=api, and the daemon", async () => {
        await does(
          `mkdir /tmp/api; cd /tmp/api; echo hello from api > index.html
          NAME=api setsid python3 -m http.server 3000 --bind 127.0.0.1 > /dev/null 2>&1 < /dev/null &
          echo $! > /tmp/api.pid`,
          alice,
        );
        await does("localhostess server start --detach", alice, "http://localhost\n");
        await until("localhostess ls", alice, "http://api.localhost");
        await until("getent hosts api.localhost", alice, "api.localhost");
      });
      await clients(step, does);
      if (withChromium) {
        await step("Chromium: http and https, with a new profile", async () => {
          await does(chromium("http://api.localhost/"), alice, "hello from api");
          await does(chromium("https://api.localhost/"), alice, "hello from api");
        });
      }
      await step("psql -h db.localhost, by the hosts file", async () => {
        const bin = "/usr/lib/postgresql/15/bin";
        await does(
          `${bin}/initdb -D /tmp/db -U alice -A trust --no-sync > /dev/null
          NAME=db setsid ${bin}/postgres -D /tmp/db -k /tmp -p 5432 > /tmp/db.log 2>&1 < /dev/null &
          echo $! > /tmp/db.pid`,
          alice,
        );
        await until("getent hosts db.localhost", alice, "db.localhost");
        await until(
          "psql -h db.localhost -U alice -d postgres -Atc 'select 40 + 2'",
          alice,
          /^42$/m,
        );
      });
      await second(step, { does, until });
    },

    async leave(): Promise<void> {
      await step("bob's daemon, state and caches are gone", async () => {
        // npm's is alice's own, and bob has another.
        const loses = how === "deb" ? ["user 1001, whom"] : [];
        await does("localhostess uninstall --dry-run", alice, ...loses);
        await does(`${asRoot} setup --remove --user bob --yes`, alice);
        // He has no sudo, and the package is the machine's.
        const its = await must(system, "localhostess uninstall --yes", bob, how === "deb" ? 1 : 0);
        if (how === "deb") has(its, "the program", "apt-get");
      });
      await step("alice: uninstall --dry-run lists it, and changes nothing", () =>
        does("localhostess uninstall --dry-run", alice, "authority", "setup", "daemon"),
      );
      await step("alice: uninstall --yes", async () => {
        await does("localhostess uninstall --yes", alice);
        if ((await must(system, "command -v localhostess", alice, "any")).code === 0) {
          throw new Error("the program is still there");
        }
      });
      await step(
        "no process is left but the servers, which answer by their own ports",
        async () => {
          const { out } = await must(system, "ps -eo user:20,args --no-headers");
          const left = out.split("\n").filter((line) => /localhostess/.test(line));
          if (left.length > 0) throw new Error(left.join("\n"));
          await does("curl -sS http://127.0.0.1:3000/", alice, "hello from api");
          await must(system, "kill $(cat /tmp/api.pid); kill -INT $(cat /tmp/db.pid)", alice);
        },
      );
    },
  };

  async function clients(step: Step, does: Does): Promise<void> {
    const hello = "hello from api";
    const urls = ["http://api.localhost/", "https://api.localhost/"];
    await step("curl: http and https", () =>
      does(urls.map((url) => `curl -sS ${url}`).join("\n"), alice, `${hello}\n${hello}`),
    );
    const python = urls.map(
      (url) => `python3 -c 'import urllib.request as u; print(u.urlopen("${url}").read())'`,
    );
    await step("Python: http and https", () =>
      does(python.join("\n"), alice, new RegExp(`${hello}[^]*${hello}`)),
    );
    const node = urls.map(
      (url) => `node -e 'fetch("${url}").then((its) => its.text()).then(console.log)'`,
    );
    await step("Node: http and https, by localhostess env", () =>
      does(
        `eval "$(localhostess env)"\n${node.join("\n")}`,
        alice,
        new RegExp(`${hello}[^]*${hello}`),
      ),
    );
  }

  async function second(step: Step, { does, until }: { does: Does; until: Until }): Promise<void> {
    const log = "cat ~/.local/state/localhostess/daemon.log";
    await step("bob: not one answer of alice's daemon", () =>
      does("curl -s -o /dev/null -w '%{http_code}' http://api.localhost/", bob, "403"),
    );
    await step("bob: refused by the helper with words, and works on a port", async () => {
      await does(
        `mkdir -p /tmp/bobs; cd /tmp/bobs; echo hello from bob > index.html
        NAME=bobs setsid python3 -m http.server 3001 --bind 127.0.0.1 > /dev/null 2>&1 < /dev/null &
        echo $! > /tmp/bobs.pid`,
        bob,
      );
      await does("localhostess server start --detach --port 9191", bob, ":9191");
      await until("curl -sS http://bobs.localhost:9191/", bob, "hello from bob");
      await does(log, bob, /port 80, which is in use by a process of (the user )?(1000|alice)/);
      await does("localhostess server stop", alice);
      await does("localhostess server restart", bob);
      await until(log, bob, "does not allow user 1001 ports");
    });
    await step("bob: listed by setup, he has the ports", async () => {
      await does(`${asRoot} setup --ports --user bob --yes`, alice, "done");
      await does("localhostess server restart", bob);
      await until("curl -sS http://bobs.localhost/", bob, "hello from bob");
      await does("curl -s -o /dev/null -w '%{http_code}' http://bobs.localhost/", alice, "403");
      await does("localhostess server stop; kill $(cat /tmp/bobs.pid)", bob);
      await does("localhostess server start --detach", alice, "http://localhost\n");
      await until("curl -sS https://api.localhost/", alice, "hello from api");
    });
  }
}
