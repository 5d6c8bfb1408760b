/** Command lines and folders -> the name that a person would give the server, or the reason why it has none. */
import { expect, test } from "bun:test";
import { commandWords } from "../../src/discovery/command-words.ts";
import { inference } from "../../src/discovery/inference.ts";
import { neverNamedAs } from "../../src/discovery/never-named.ts";
import type { ObservedProcess } from "../../src/discovery/observation.ts";
import { servicesIn } from "../../src/discovery/services.ts";
import { type Files, virtualFolders } from "./virtual-folders.ts";

const files: Files = {
  "/home/me/package.json": '{"name": "my-dotfiles"}',
  "/home/me/.git": "",
  "/home/me/shop/package.json": '{"name": "@acme/shop", "scripts": {"dev": "vite"}}',
  "/home/me/plain/index.html": "",
  "/home/me/api/pyproject.toml": '[build-system]\nrequires = []\n[project]\nname = "orders_api"\n',
  "/home/me/poet/pyproject.toml": '[tool.poetry]\nname = "verses"\nversion = "1"\n',
  "/home/me/rust/Cargo.toml": '[package]\nname = "ferris_shop"\n[[bin]]\nname = "other"\n',
  "/home/me/gosvc/go.mod": "module github.com/acme/ledger/v2\n\ngo 1.22\n",
  "/home/me/phx/mix.exs": "def project do\n  [\n    app: :tea_house,\n",
  "/home/me/store/composer.json": '{"name": "acme/store-front"}',
  "/home/me/blog-laravel/composer.json": '{"name": "laravel/laravel"}',
  "/home/me/blog-laravel/package.json": '{"private": true, "scripts": {"dev": "vite"}}',
  "/home/me/forum/Gemfile": "source 'x'",
  "/home/me/depot/Gemfile": "",
  "/home/me/depot/package.json": '{"name": "app", "dependencies": {"esbuild": "1"}}',
  "/home/me/Notes App/.git": "",
  "/home/me/2048/.git": "",
  "/home/me/проект/.git": "",
  "/home/me/lib/package.json": '{"name": "buttons", "scripts": {"storybook": "storybook dev"}}',
  "/home/me/mono/package.json": '{"name": "@acme/mono-root", "workspaces": ["apps/*"]}',
  "/home/me/mono/.git": "",
  "/home/me/mono/apps/web/package.json":
    '{"name": "@acme/web", "scripts": {"dev": "vite", "storybook": "storybook dev -p 6006"}}',
  "/home/me/mono/apps/api/package.json": '{"name": "mono-api"}',
  "/home/me/mono/apps/docs/package.json": '{"name": "docs", "scripts": {"dev": "vitepress dev"}}',
  "/home/me/split/.git": "",
  "/home/me/split/frontend/package.json": '{"name": "frontend"}',
  "/home/me/split/backend/go.mod": "module backend\n",
  "/home/me/pn/pnpm-workspace.yaml": "packages:\n  - packages/*\n",
  "/home/me/pn/packages/site/package.json": '{"name": "site"}',
  "/home/me/crates/Cargo.toml": '[workspace]\nmembers = ["*"]\n',
  "/home/me/crates/gate/Cargo.toml": '[package]\nname = "gate"\n',
  "/home/me/two/package.json":
    '{"name": "two", "scripts": {"dev": "concurrently npm:dev:*", "dev:web": "vite", "dev:api": "node api.js"}}',
  "/home/me/wt/fix/.git": "fix-nav of shop-repo",
  "/home/me/.vscode/extensions/x/package.json": '{"name": "x-extension"}',
  "/home/me/.cursor/worktrees/shop/a1/.git": "a1 of shop-repo",
  "/usr/lib/node_modules/n8n/package.json": '{"name": "n8n"}',
  "/tmp/package.json": '{"name": "left-in-tmp"}',
};

type Row = [command: string, cwd: string, expected: string, ports?: readonly number[]];

const me = "/home/me";

const rows: readonly Row[] = [
  // One project in one folder, by each kind of manifest.
  ["node /home/me/shop/node_modules/.bin/vite", `${me}/shop`, "shop"],
  ["node /home/me/shop/node_modules/vite/bin/vite.js --port 5173", `${me}/shop/src`, "shop"],
  ["next-server (v16.4.6)", `${me}/shop`, "shop"],
  ["node /home/me/shop/node_modules/.bin/astro dev", `${me}/shop`, "shop"],
  ["node server.js", `${me}/shop`, "shop"],
  ["/home/me/.bun/bin/bun --hot src/index.ts", `${me}/shop`, "shop"],
  ["/usr/bin/python3 /usr/bin/uvicorn main:app --reload", `${me}/api`, "orders-api"],
  ["/home/me/poet/.venv/bin/python /home/me/poet/.venv/bin/flask run", `${me}/poet`, "verses"],
  ["python3 manage.py runserver", `${me}/poet/src`, "verses"],
  ["target/debug/ferris_shop", `${me}/rust`, "ferris-shop"],
  ["/tmp/go-build123/b001/exe/main", `${me}/gosvc`, "ledger"],
  ["./bin/ledger -listen :8080", `${me}/gosvc`, "ledger"],
  [
    "/usr/lib/erlang/erts-14/bin/beam.smp -- -root /usr/lib/erlang -s elixir start_cli",
    `${me}/phx`,
    "tea-house",
  ],
  ["php -S 127.0.0.1:8000 -t public", `${me}/store`, "store-front"],
  ["php artisan serve", `${me}/blog-laravel`, "blog-laravel"],
  ["puma 6.4.0 (tcp://0.0.0.0:3000) [forum]", `${me}/forum`, "forum"],
  ["ruby bin/rails server", `${me}/depot`, "depot"],
  ["python3 -m http.server 8000", `${me}/Notes App`, "notes-app"],
  ["python3 -m http.server 8000", `${me}/2048`, "project-2048"],
  ["python3 -m http.server 8000", `${me}/проект`, "xn--e1akkdfp"],
  ["node /home/me/lib/node_modules/.bin/storybook dev -p 6006", `${me}/lib`, "buttons"],
  // A bundler beside a framework of another language.
  ["node /home/me/blog-laravel/node_modules/.bin/vite", `${me}/blog-laravel`, "vite.blog-laravel"],
  ["node /home/me/depot/node_modules/.bin/esbuild --serve", `${me}/depot`, "esbuild.depot"],
  // Packages of a workspace, and folders of a repository.
  ["node /home/me/mono/node_modules/vite/bin/vite.js", `${me}/mono/apps/web`, "web.mono"],
  [
    "node /home/me/mono/node_modules/.bin/tsx watch src/index.ts",
    `${me}/mono/apps/api`,
    "api.mono",
  ],
  ["node dist/main.js", `${me}/mono/apps/api/dist`, "api.mono"],
  ["node /home/me/mono/node_modules/.bin/vitepress dev", `${me}/mono/apps/docs`, "docs.mono"],
  ["node proxy.js", `${me}/mono`, "mono"],
  ["node /x/node_modules/.bin/storybook dev -p 6006", `${me}/mono/apps/web`, "storybook.web.mono"],
  ["node /home/me/split/frontend/node_modules/.bin/vite", `${me}/split/frontend`, "frontend.split"],
  ["/home/me/.cache/go-build/a1/backend", `${me}/split/backend`, "backend.split"],
  [
    "node /home/me/pn/node_modules/.pnpm/astro@5/node_modules/astro/astro.js dev",
    `${me}/pn/packages/site`,
    "site.pn",
  ],
  ["/home/me/crates/target/debug/gate", `${me}/crates/gate`, "gate.crates"],
  // The folder is not the package's own.
  ["node server.js", `${me}/mono/node_modules/some-package`, "mono"],
  ["python3 -m http.server", `${me}/wt/fix/site`, "shop-repo"],
  ["node server.js", `${me}/.cursor/worktrees/shop/a1`, "shop-repo"],
  // Words beside the project's name.
  ["node api.js", `${me}/two`, "api.two"],
  ["postgres -D /home/me/shop/.data/pg", `${me}/shop/.data/pg`, "(postgres.shop)"],
  ["redis-server *:6379", `${me}/shop`, "(redis.shop)"],
  ["node /x/node_modules/pglite-socket/dist/cli.js", `${me}/shop`, "(postgres.shop)", [5432]],
  ["java -cp /opt/kafka/libs/x.jar kafka.Kafka server.properties", `${me}/shop`, "(kafka.shop)"],
  ["java -cp /m2/kafka-clients-3.jar:/m2/cassandra.jar com.acme.Shop", `${me}/shop`, "shop"],
  ["cockroach start-single-node", `${me}/shop`, "cockroach.shop", [8080, 26_257]],
  ["./your_program.sh", `${me}/gosvc`, "(redis.ledger)", [6379]],
  ["node /home/me/shop/node_modules/.bin/vite", `${me}/shop`, "shop", [3306]],
  ["node /x/node_modules/.bin/prisma studio", `${me}/shop`, "studio.shop"],
  // No project.
  ["python3 -m http.server", `${me}/plain`, "not listed"],
  ["python3 -m http.server", me, "not listed"],
  ["node server.js", "/tmp", "not listed"],
  ["node server.js", "/", "not listed"],
  ["node /usr/lib/node_modules/n8n/bin/n8n", "/usr/lib/node_modules/n8n", "not listed"],
  ["node server.js", `${me}/.vscode/extensions/x`, "not listed"],
  ["node server.js", `${me}/shop (deleted)`, "not listed"],
  // Ports that make no server.
  ["node --inspect worker.js", `${me}/shop`, "not listed", [9229]],
  ["some-helper", `${me}/shop`, "not listed", [41_234]],
  ["some-helper --port 41234", `${me}/shop`, "shop", [41_234]],
  ["node server.js", `${me}/shop`, "shop", [41_234]],
  ["node /home/me/shop/node_modules/.bin/vite", `${me}/shop`, "shop", [5173, 24_678, 9229]],
];

function namesOf(processes: readonly (Partial<ObservedProcess> & { ports: readonly number[] })[]) {
  const all = processes.map((its, at) => ({
    ...{ pid: 100 + at, startedAt: 1000, parent: 1, group: 100 + at, uid: 7, name: undefined },
    ...{ command: "node", cwd: "/", ...its },
  }));
  const scan = {
    observations: all.flatMap(({ pid, ports }) =>
      ports.map((port) => ({ address: "127.0.0.1", port, pids: [pid] })),
    ),
    processes: new Map(all.map((its) => [its.pid, its])),
    skipped: [],
  };
  const infer = inference({
    ...{ uid: 7, supervised: () => [], wall: () => 0 },
    folders: virtualFolders(files),
    names: [],
  });
  const host = { hostName: "desk", wsl: false, ownPid: 1, uid: 7, infer };
  return servicesIn(scan, host).map(({ name, routable }) => (routable ? name : `(${name})`));
}

test.each(rows)("%s in %s is %s", (command, cwd, expected, ports = [3000]) => {
  expect(namesOf([{ command, cwd, ports }])[0] ?? "not listed").toBe(expected);
});

const shop = `${me}/shop`;

/** Tools that people have open while they work in a project's folder, by a word of the reason. */
const tools: readonly [reason: RegExp, command: string][] = [
  [/of localhostess/, "/n/.bin/bun /x/localhostess/src/main.ts server start --port 0 --background"],
  [
    /editor/,
    "/home/me/.vscode-server/bin/abc/node /home/me/.vscode-server/bin/abc/out/bootstrap-fork --type=extensionHost",
  ],
  [/editor/, "/usr/share/code/code --type=utility --utility-sub-type=node.mojom.NodeService"],
  [
    /editor/,
    "/home/me/.vscode-server/cli/servers/Stable-1/server/node out/server-main.js --port=0",
  ],
  [/editor/, "node /home/me/.cursor-server/bin/x/out/server-main.js"],
  [/editor/, "node /home/me/.vscode/extensions/ritwickdey.liveserver-5.7/server.js"],
  [/editor/, "/opt/idea/jbr/bin/java -cp x com.intellij.idea.Main"],
  [/editor/, "/home/me/.local/share/JetBrains/Toolbox/apps/webstorm/bin/webstorm"],
  [/editor/, "node /home/me/.local/share/zed/extensions/installed/html/server.js"],
  [/browser/, "/usr/lib/chromium/chromium --headless --remote-debugging-port=9333"],
  [/browser/, "/opt/google/chrome/chrome --type=renderer"],
  [/browser/, "/home/me/.cache/ms-playwright/chromium-1200/chrome-linux/headless_shell"],
  [/browser/, "/usr/lib/firefox-esr/firefox-esr --marionette"],
  [/browser/, "chromedriver --port=9515"],
  [/browser/, "/home/me/shop/node_modules/electron/dist/electron ."],
  [/language server/, "gopls serve -listen=:37374"],
  [/language server/, "node /usr/lib/node_modules/typescript-language-server/lib/cli.mjs --stdio"],
  [/language server/, "node /home/me/shop/node_modules/.bin/tailwindcss-language-server --stdio"],
  [/language server/, "/usr/bin/ruby /usr/bin/solargraph socket --port 7658"],
  [/language server/, "python3 -m pylsp --tcp --port 2087"],
  [/language server/, "java -Declipse.application=org.eclipse.jdt.ls.core.id1 -jar launcher.jar"],
  [/language server/, "rust-analyzer lsp-server"],
  [/debugger/, "dlv dap --listen=127.0.0.1:38697"],
  [/debugger/, "python3 /home/me/.vscode-x/bundled/libs/debugpy/adapter --for-server 5"],
  [/debugger/, "node /opt/js-debug/src/dapDebugServer.js 8123"],
  [/kernel of notebooks/, "/w/.venv/bin/python -m ipykernel_launcher -f /run/kernel-1.json"],
  [/build tool/, "java -cp /x/gradle.jar org.gradle.launcher.daemon.bootstrap.GradleDaemon 8.5"],
  [/build tool/, "bazel(shop) -XX:MaxHeapSize=1g"],
  [/build tool/, "java -cp x org.jetbrains.kotlin.daemon.KotlinCompileDaemon"],
  [/build tool/, "watchman --foreground"],
  [/tests/, "node /home/me/shop/node_modules/.bin/vitest --ui"],
  [/tests/, "/home/me/.bun/bin/bun test src"],
  [/tests/, "python3 -m pytest -x"],
  [/tests/, "node /home/me/shop/node_modules/@playwright/test/cli.js test"],
  [/starts others/, "process-compose up --port 8080"],
  [/starts others/, "PM2 v5.3.0: God Daemon (/home/me/.pm2)"],
  [/another place/, "ssh -N -L 8080:localhost:80 box"],
  [/another place/, "kubectl port-forward svc/api 8080:80"],
  [/another place/, "cloudflared tunnel --url http://localhost:3000"],
  [/container/, "/usr/bin/docker-proxy -proto tcp -host-port 8080"],
  [/container/, "rootlesskit --net=slirp4netns"],
  [/same on several/, "/usr/bin/syncthing serve --no-browser"],
  [/assistant/, "claude --continue"],
  [/gives names/, "node /usr/lib/node_modules/portless/dist/cli.js proxy start"],
];

test.each(tools)("%s: no name for %s", (reason, command) => {
  expect(neverNamedAs(commandWords(command, [shop]))?.why).toMatch(reason);
  expect(namesOf([{ command, cwd: shop, ports: [8123] }])).toEqual([]);
});

/** Servers whose command lines have words of such tools in them. */
const servers = [
  "node server.js --browser chrome",
  "./code",
  "/home/me/shop/build/studio",
  "node /home/me/.cursor/worktrees/shop/a1/node_modules/.bin/vite",
  "python3 -m debugpy --connect 127.0.0.1:5678 manage.py runserver",
  "node --inspect=9230 server.js",
  "node -r /home/me/.vscode/extensions/debug/bootloader.js server.js",
  "node scripts/test-server.js",
];

test.each(servers)("%s is a server all the same", (command) => {
  expect(namesOf([{ command, cwd: shop, ports: [8123] }])).toEqual(["shop"]);
});

test("command lines that are made to take long are read at once", () => {
  const began = performance.now();
  const long = 1 << 20;
  for (const text of ["npm", "-a ", "/gems/a-1", " /src/main.ts", "node_modules/", "a:b "]) {
    for (const program of ["", "node ", "bun ", "sh -c "]) {
      const command = program + text.repeat(long / text.length);
      expect(namesOf([{ command, cwd: shop, ports: [3000] }]).length).toBeLessThan(2);
    }
  }
  expect(performance.now() - began).toBeLessThan(10_000);
});
