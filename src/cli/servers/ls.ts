/** `localhostess ls` -> the table of services, once or whenever it changes. */
import { byCheckout } from "../../routes/by-checkout.ts";
import { serviceRow } from "../../routes/service-row.ts";
import { looker, type Sight, unusableIn } from "../shared/look.ts";
import { notes } from "./notes.ts";
import { namelessLines, type RowOptions, serviceLines, warningLines } from "../shared/rows.ts";
import { shownLines } from "../shared/shown-lines.ts";
import { type Flags, type Settings, settingsOf } from "../shared/settings.ts";
import type { Screen, World } from "../shared/world.ts";

export type LsFlags = Flags & { watch?: boolean };

/** Milliseconds between looks of `--watch`. */
const watchPeriod = 1000;

const hideCursor = "\x1b[?25l";
const showCursor = "\x1b[?25h";
/** Moves to the corner and erases from there: clearing the screen first would flicker. */
const redraw = "\x1b[H\x1b[J";
const clear = "\x1b[2J";

export async function ls(flags: LsFlags, world: World): Promise<number> {
  const settings = await settingsOf(flags, world);
  const look = looker(settings, { world });
  if (flags.watch === true) return watch(look, { settings, world });
  const sight = await look();
  world.out.write(settings.json ? `${json(sight, 2)}\n` : table(sight, world, settings));
  talk(sight, { settings, world });
  return 0;
}

function json({ services, urlPorts }: Sight, indent?: number): string {
  const rows = byCheckout(services).map(({ row }) => serviceRow(row, urlPorts.http));
  return JSON.stringify(rows, undefined, indent);
}

function table(sight: Sight, { out: screen, home }: World, { verbose }: Settings): string {
  const columns = screen.columns();
  const options: RowOptions = {
    port: sight.urlPorts.http,
    columns,
    colors: screen.colors,
    verbose,
    // In a pipe, another program reads it.
    home: columns === undefined ? undefined : home,
  };
  const { services } = sight;
  const nameless = namelessLines(unusableIn(sight), options);
  const lines = [
    ...(services.length === 0 ? [] : serviceLines(services, { ...options, header: true })),
    ...shownLines(services, options),
    ...warningLines(services, options),
    ...(services.length === 0 || nameless.length === 0 ? [] : [""]),
    ...nameless,
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function talk(sight: Sight, { settings, world }: { settings: Settings; world: World }): void {
  for (const line of notes(sight, settings)) {
    world.err.write(`${wrapped(line, world.err)}\n`);
  }
}

type Watching = { settings: Settings; world: World };

/** Runs until a signal, or until the reader is gone. */
async function watch(look: () => Promise<Sight>, { settings, world }: Watching): Promise<number> {
  const { out, err } = world;
  if (world.json !== undefined) world.json.lines = true;
  const terminal = out.columns() !== undefined && !settings.json;
  const stopped = Promise.withResolvers<"stop">();
  let resized = Promise.withResolvers<"draw">();
  const cancelSignal = world.onSignal(() => stopped.resolve("stop"));
  const cancelResize = world.onResize(() => resized.resolve("draw"));
  if (terminal) out.write(hideCursor + clear);
  let shown: string | undefined;
  let said = "";
  try {
    for (let sight = await look(); ;) {
      const text = settings.json ? `${json(sight)}\n` : table(sight, world, settings);
      const words = notes(sight, settings);
      if (text !== shown || words.join("\n") !== said) {
        if (terminal) {
          // Notes are part of the screen: on stderr, the next drawing would overwrite them.
          out.write(redraw + text + words.map((line) => `${wrapped(line, out)}\n`).join(""));
        } else {
          // An empty line separates two tables.
          if (text !== shown) out.write(shown === undefined || settings.json ? text : `\n${text}`);
          if (words.join("\n") !== said) talk(sight, { settings, world });
        }
        [shown, said] = [text, words.join("\n")];
      }
      const timer = Promise.withResolvers<"look">();
      const timeout = setTimeout(() => timer.resolve("look"), watchPeriod);
      const next = await Promise.race([stopped.promise, resized.promise, timer.promise]);
      clearTimeout(timeout);
      // An empty write tells whether the reader is still there.
      if (next === "stop" || !out.write("")) return 0;
      if (next === "draw") {
        resized = Promise.withResolvers();
        shown = undefined;
        continue;
      }
      try {
        sight = await look();
      } catch (error) {
        // A scan may fail once on a busy machine; the next one shows more.
        err.write(`${err.colors.red(`scan failed: ${(error as Error).message}`)}\n`);
      }
    }
  } finally {
    if (terminal) out.write(showCursor);
    cancelSignal();
    cancelResize();
  }
}

function wrapped(line: string, { columns, colors }: Screen): string {
  const width = columns();
  return colors.dim(width === undefined ? line : Bun.wrapAnsi(line, width, { hard: true }));
}
