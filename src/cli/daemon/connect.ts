/** `localhostess connect <url>` -> a web page of an allowed origin in a browser, with a token for the credential. */
import { type PageLink, readPage } from "../../control/http/page-tokens.ts";
import { listenersOn } from "../../system/listeners.ts";
import { configFile } from "../../system/paths.ts";
import { printable } from "../../text/printable.ts";
import { ensureDaemon, type Running, tellStarted } from "../shared/daemon-here.ts";
import { Failure } from "../shared/failure.ts";
import { printJson } from "../shared/json-output.ts";
import { type Flags, settingsOf, UsageError } from "../shared/settings.ts";
import { show } from "../shared/show.ts";
import type { World } from "../shared/world.ts";
import { strangerAt } from "./page-listener.ts";
import { postCommand } from "./post-command.ts";

export type ConnectFlags = Flags & { print?: boolean };

export async function connect(
  page: string,
  { flags, world }: { flags: ConnectFlags; world: World },
): Promise<number> {
  const settings = await settingsOf(flags, world);
  const read = readPage(page);
  if ("why" in read) {
    // Messages get into logs, a password had better not.
    const shown = page.replace(/(\/\/[^/?#]*?):[^/?#]*@/, "$1:…@");
    throw new UsageError([`${printable(shown, 200)}: ${read.why}`]);
  }
  const { origin } = read.url;
  // The daemon has its own list, from its start. This one is looked at first, so that none is started in vain.
  if (!settings.config.allowed_origins?.value.includes(origin)) throw notAllowed(origin, world);
  const stranger = strangerAt(read.url, { uid: process.getuid?.() ?? 0, listeners: listenersOn });
  if (stranger !== undefined) throw notOurs(origin, stranger);
  const { print, json: _, ...passed } = flags;
  const daemon = await ensureDaemon({ flags: passed, settings, world });
  tellStarted(daemon, world);
  const link = await linkTo(read.url.href, origin, daemon);
  if (settings.json) {
    printJson(world, link);
    return 0;
  }
  const told = `${origin} gets the credential, once and within a minute: with it, it can do all that localhostess commands do`;
  world.err.write(`${world.err.colors.dim(told)}\n`);
  if (print) {
    world.out.write(`${link.url}\n`);
    return 0;
  }
  return show(link.url, world);
}

/** @throws an Error for a person. */
async function linkTo(url: string, origin: string, daemon: Running): Promise<PageLink> {
  try {
    return await postCommand(daemon, {
      path: "/v1/connect-page",
      input: { url },
      failure: "the daemon returned no link to the page",
    });
  } catch (error) {
    if ((error as { status?: number }).status !== 403) throw error;
    throw new Failure(
      "forbidden",
      `${origin} is in allowed_origins, and the daemon was started before; run: localhostess server restart`,
      { cause: error },
    );
  }
}

function notAllowed(origin: string, world: World): Error {
  const located = configFile(world);
  const file = located.kind === "mistake" ? "config.toml" : located.path;
  const line = `allowed_origins = [${JSON.stringify(origin)}]`;
  return new Failure(
    "forbidden",
    `${origin} may not use the daemon: it is not in allowed_origins. If its pages are yours, add to ${file}: ${line}; then run: localhostess server restart`,
  );
}

/** With the credential, a page that another user serves would run commands as us. */
function notOurs(origin: string, uid: number): Error {
  return new Failure(
    "forbidden",
    `${origin} is served by another user of this machine (uid ${uid}), whose page would get the credential; start your own server there, or on another port`,
  );
}
