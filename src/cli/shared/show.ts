/** A URL -> a browser that shows it, or the exit code and a sentence with the URL. */
import { listed } from "../../text/list.ts";
import { searchPath, whereIs } from "../../system/search-path.ts";
import { isWsl } from "./is-wsl.ts";
import type { World } from "./world.ts";

/** Milliseconds for an opener to fail. One that runs longer is the browser itself. */
const patience = 2000;

/** The programs that open a URL on this system, best first. */
function openers({ platform }: World): readonly string[] {
  if (platform === "darwin") return ["open"];
  // Inside WSL the browser is Windows's.
  return isWsl() ? ["wslview", "xdg-open"] : ["xdg-open", "wslview"];
}

/** @returns the exit code; a failure is reported, with the URL to open by hand. */
export async function show(url: string, world: World): Promise<number> {
  const { write } = world.err;
  const tried: string[] = [];
  for (const opener of openers(world)) {
    const program = whereIs(opener, world.env.PATH);
    if (program === undefined) continue;
    const code = await launch([program, url], world);
    if (code === 0 || code === "running") return 0;
    tried.push(`${opener} failed with ${code}`);
  }
  const why =
    tried.length === 0
      ? `PATH has no ${listed(openers(world), { conjunction: "or" })}`
      : listed(tried);
  if (world.json !== undefined) {
    world.json.code = "no_browser";
    world.json.more.push(url);
  }
  write(`localhostess: could not open a browser: ${why}; open this URL:\n${url}\n`);
  return 1;
}

async function launch(
  argv: [string, string],
  world: World,
): Promise<number | "running" | "a signal"> {
  const child = Bun.spawn(argv, {
    // Openers are scripts that may read files of their working directory.
    cwd: "/",
    env: { ...world.env, PATH: searchPath(world.env.PATH) },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    // The browser keeps running when our terminal is closed.
    detached: true,
  });
  const late = Promise.withResolvers<"running">();
  const timer = setTimeout(() => late.resolve("running"), patience);
  const ended = child.exited.then(() => child.exitCode ?? ("a signal" as const));
  const outcome = await Promise.race([ended, late.promise]);
  clearTimeout(timer);
  child.unref();
  return outcome;
}
