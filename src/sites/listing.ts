/** A folder without an index.html -> a page with its files and folders. */
import type { Entry, InsideFolder } from "../system/folder-door.ts";
import { slices } from "../system/slices.ts";
import { type Html, html } from "../text/html.ts";
import { shownMinute } from "../text/local-time.ts";
import { shownSize } from "../text/size.ts";
import type { SiteAnswer } from "./answer.ts";
import { sitePage } from "./site-page.ts";
import { isHidden, pathOf } from "./site-path.ts";

export type ListingOptions = {
  /** The names on the way to it. */
  names: readonly string[];
  aside: string;
  reload: boolean;
};

/** A page with more is of no use to anybody. */
const mostEntries = 10_000;

/** Files whose size is asked for at the same time: the threads that ask are four. */
const together = 16;

/** Milliseconds of work after which the event loop gets its turn. */
const slice = 5;

/** @throws what the system says, where the folder cannot be read. */
export async function listing(folder: InsideFolder, options: ListingOptions): Promise<SiteAnswer> {
  const { names, aside, reload } = options;
  const turn = slices(slice);
  const { entries, more } = await folder.list(mostEntries);
  await turn();
  const shown = sorted(entries.filter(({ name }) => !isHidden(name)));
  const rows: Html[] = [];
  for (let at = 0; at < shown.length; at += together) {
    await turn();
    const some = shown.slice(at, at + together);
    rows.push(...(await Promise.all(some.map((entry) => rowOf(folder, entry)))));
  }
  await turn();
  const path = `/${names.map((name) => `${name}/`).join("")}`;
  const body = html`<h1>${path}</h1>
    <ul class="services">
      ${names.length === 0 ? undefined : upward}${rows}
    </ul>
    ${shown.length === 0 ? html`<p class="soft">This folder is empty.</p>` : undefined}
    ${more === 0 ? undefined : html`<p class="soft">${more} more are not shown.</p>`}`;
  return sitePage({ status: 200, title: path, aside, body, reload });
}

const upward = html`<li class="row"><a class="name" href="../">../</a></li>`;

/** Folders first. Not as a language sorts, which takes ten times as long. */
function sorted(entries: readonly Entry[]): Entry[] {
  const keyed = entries.map((entry) => ({
    entry,
    key: `${entry.kind === "folder" ? 0 : 1}${entry.name.toLowerCase()}\0${entry.name}`,
  }));
  keyed.sort((one, other) => (one.key < other.key ? -1 : 1));
  return keyed.map(({ entry }) => entry);
}

async function rowOf(folder: InsideFolder, { name, kind }: Entry): Promise<Html> {
  const isFolder = kind === "folder";
  // With the dot and the slash, a name such as `a:b` is no scheme.
  const href = `.${pathOf([name], { folder: isFolder })}`;
  const facts = await folder.factsOf(name);
  const size = facts === undefined || isFolder ? "" : `${shownSize(facts.size)} · `;
  const where = facts === undefined ? "" : `${size}${shownMinute(facts.modified)}`;
  return html`<li class="row">
    <a class="name" href="${href}">${name}${isFolder ? "/" : ""}</a>
    <span class="where">${where}</span>
  </li> `;
}
