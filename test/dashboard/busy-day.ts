/** Twelve services in five worktrees, and some started by hand: what a person with no patience looks at. */
import { unbuiltText } from "../../src/routes/state-sentence.ts";
import type { PageServer } from "./page-server.ts";
import { madeService } from "./page-server.ts";
import { deny } from "./strangers.ts";

/** `shop:api` has output and requests; one service has failed, one starts, one project is stopped. */
export function busyDay(server: PageServer): void {
  const { supervised } = server;
  for (const [at, project] of ["shop", "cart-rewrite.shop", "fix-login.shop"].entries()) {
    const label = project === "shop" ? undefined : project.slice(0, -".shop".length);
    for (const service of ["api", "db", "web"]) {
      const id = `${project}:${service}`;
      const down = at === 2;
      const worker = service === "db" ? { routeName: undefined } : {};
      supervised.set(id, {
        ...worker,
        ...(down ? { state: "stopped", pid: undefined, startedAt: undefined } : {}),
      });
      if (down || service === "db") continue;
      const pid = 5_100 + at * 10 + service.length;
      supervised.set(id, { pid });
      const port = 4_100 + at * 10 + service.length;
      server.add(
        madeService(`${service}.${project}`, {
          process: { pid, startedAt: Date.now() - 754_000 },
          pids: [pid],
          ports: [port],
          endpoint: { address: "127.0.0.1", port, dial: ["127.0.0.1"] },
          command: `bun run ${service}`,
          cwd: `/home/ada/src/${project}`,
          checkout: {
            repository: "/home/ada/src/shop/.git",
            root: `/home/ada/src/${project}`,
            label,
          },
          origin: { name: `${service}.shop`, shown: label === "cart-rewrite" },
        }),
      );
    }
  }
  supervised.set("billing:worker", {
    routeName: undefined,
    state: "failed",
    pid: undefined,
    startedAt: undefined,
    restarts: 3,
    why: "ended with exit code 1",
    lastExit: { code: 1, signal: null, time: Date.now() - 60_000, lastLines: ["no database"] },
  });
  supervised.set("billing:migrate", {
    routeName: undefined,
    state: "completed",
    pid: undefined,
    startedAt: undefined,
  });
  supervised.set("docs-site:web", {
    state: "starting",
    startedAt: Date.now(),
    why: "waits for db",
  });
  supervised.set("docs-site:assets", { status: "builds again: npm run build", pid: 5_201 });
  supervised.set("docs-site:search", {
    pid: 5_202,
    warnings: [
      unbuiltText({
        id: "docs-site:search",
        why: "its build failed (exit code 2): npm run build --workspace packages/search",
      }),
    ],
  });
  server.add(madeService("docs", { pids: [4_711, 4_712], ports: [5_173, 24_678] }));
  server.add(madeService("web", { warnings: ["another server has this name too"] }));
  server.add(madeService("a-name-that-is-as-long-as-names-may-be-and-some-more-of-it"));
  server.add(
    madeService("My Server", { routable: false, warnings: ["a name has no space in it"] }),
  );
  const nameless = {
    startedAt: 0,
    command: "vite --host",
    cwd: "/home/ada/src/blog",
    typed: "vite",
  };
  server.setNameless([
    {
      ...nameless,
      pid: 881,
      port: 5_174,
      ports: [5_174],
      suggested: "blog",
      fault: { kind: "no name" },
    },
  ]);
  for (let at = 0; at < 40; at++) {
    supervised.print("shop:api", `\x1b[32mGET\x1b[0m /orders/${at} 200 in ${at} ms\n`);
    server.request("api.shop", {
      line: `GET /orders/${at}?expand=lines`,
      caller: { pid: 881, command: "/usr/bin/chromium --type=utility" },
    });
  }
  supervised.print("shop:api", "listening on 127.0.0.1:4103\n");
  server.request("api.shop", { line: "POST /orders", status: 503, milliseconds: 1_234 });
  server.request("web.shop", { line: "GET /", milliseconds: 4.2 });
  const service = { id: "shop:api", key: "api" };
  deny(server, "api.shop", { kind: "websocket", count: 3, service });
  deny(server, "api.shop", { kind: "form", service });
  deny(server, "docs", { kind: "frame" });
}
