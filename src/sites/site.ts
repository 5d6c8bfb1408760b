/** A folder, and requests -> answers with its files. */
import { extname } from "node:path";
import { FolderDoor, type Inside, type InsideFile } from "../system/folder-door.ts";
import { html } from "../text/html.ts";
import { contentOf, type SiteAnswer } from "./answer.ts";
import { type Coding, codings, codingsIn } from "./codings.ts";
import { contentType, isAsset, isCompressible } from "./content-types.ts";
import { listing } from "./listing.ts";
import { eventsPath, reloadScript, scriptPath } from "./reload-script.ts";
import type { ReloadStreams } from "./reload-streams.ts";
import { type Form, represented } from "./representation.ts";
import { bare, plainFields, type Refusal, refused } from "./site-page.ts";
import { isHidden, pathOf, sitePath } from "./site-path.ts";
import { type SiteRequest, wantsPage } from "./site-request.ts";

export type SiteOptions = {
  /** Absolute. */
  folder: string;
  /** The file that stands for every path that is none, relative to the folder; undefined: there is none. */
  fallback: string | undefined;
  /** Folders without an index.html are listed. */
  listing: boolean;
  /** Open pages, which are loaded again; undefined: they are not. */
  reload: ReloadStreams | undefined;
  /** Shown on pages of our own: `shop:docs`. */
  title: string;
};

const allowed = ["Allow", "GET, HEAD, OPTIONS"] as const;

/** The name of a page that stands for what is not there, as many hosts of files have it. */
const notFoundName = "404.html";

export class Site {
  readonly #options: SiteOptions;
  readonly #door: FolderDoor;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#door = new FolderDoor({ folder: options.folder, isHidden });
  }

  /** Rejects only for a fault of ours, or of the disk. */
  async answer(request: SiteRequest): Promise<SiteAnswer> {
    const { method, path } = request;
    if (method === "OPTIONS") return { status: 204, fields: [allowed] };
    if (method !== "GET" && method !== "HEAD") {
      const title = `${method} is not for files`;
      return this.#refuse(request, { status: 405, title, what: [], fields: [allowed] });
    }
    const own = this.#own(path);
    if (own !== undefined) return own;
    const read = sitePath(path);
    if (read.kind === "absent") return await this.#absent(request, []);
    if (read.kind === "bad") {
      const what = [`${read.why[0]!.toUpperCase()}${read.why.slice(1)}.`];
      return this.#refuse(request, { status: 400, title: "This path cannot be read", what });
    }
    const { names, folder } = read;
    const its = await this.#door.open(names);
    if (its.kind === "file") {
      if (!folder) return await this.#send(its.file, { request, names });
      its.file.close();
      return await this.#absent(request, names);
    }
    if (its.kind === "folder" && folder) return await this.#folder(request, { its, names });
    if (its.kind !== "folder" && its.kind !== "absent") {
      return this.#unusable(request, { its, names });
    }
    if (its.kind === "folder") its.folder.close();
    const page = await this.#page(names);
    if (page !== undefined) {
      if (!folder) return await this.#send(page, { request, names: withEnding(names) });
      page.close();
      return moved(request, pathOf(names, { folder: false }));
    }
    if (its.kind === "folder") return moved(request, pathOf(names, { folder: true }));
    return await this.#absent(request, names);
  }

  /** The script that loads pages again, and its events. */
  #own(path: string): SiteAnswer | undefined {
    const { reload } = this.#options;
    if (reload === undefined) return undefined;
    if (path === eventsPath) return reload.answer();
    if (path !== scriptPath) return undefined;
    const fields = [["Content-Type", "text/javascript; charset=utf-8"], ...plainFields] as const;
    return { status: 200, fields, content: contentOf(reloadScript) };
  }

  /** A page without its ending: `/about` is `about.html`. */
  async #page(names: readonly string[]): Promise<InsideFile | undefined> {
    const last = names.at(-1);
    if (last === undefined || extname(last) === ".html") return undefined;
    return fileOf(await this.#door.open(withEnding(names)));
  }

  async #folder(
    request: SiteRequest,
    { its, names }: { its: Inside & { kind: "folder" }; names: readonly string[] },
  ): Promise<SiteAnswer> {
    const { folder } = its;
    try {
      const index = [...names, "index.html"];
      const page = fileOf(await this.#door.open(index));
      if (page !== undefined) return await this.#send(page, { request, names: index });
      if (!this.#options.listing) return await this.#absent(request, names);
      const { title: aside } = this.#options;
      return await listing(folder, { names, aside, reload: this.#reloads });
    } finally {
      folder.close();
    }
  }

  get #reloads(): boolean {
    return this.#options.reload !== undefined;
  }

  /** The file, or one beside it that is compressed already, and no older. */
  async #send(
    file: InsideFile,
    {
      request,
      names,
      status = 200,
    }: { request: SiteRequest; names: readonly string[]; status?: 200 | 404 },
  ): Promise<SiteAnswer> {
    const type = contentType(names.at(-1)!);
    const scripted = this.#reloads && /^text\/html|xhtml/.test(type);
    const plain: Form = { type, coding: undefined, varies: false, scripted, status };
    if (scripted || !isCompressible(type)) return await represented(file, { request, form: plain });
    const { best, varies } = await this.#neighbour(file, { request, names });
    const form = { ...plain, varies, coding: best?.coding.name };
    if (best === undefined) return await represented(file, { request, form });
    file.close();
    return await represented(best.file, { request, form });
  }

  async #neighbour(
    { facts }: InsideFile,
    { request, names }: { request: SiteRequest; names: readonly string[] },
  ): Promise<{ best: { coding: Coding; file: InsideFile } | undefined; varies: boolean }> {
    const beside = (ending: string) => [...names.slice(0, -1), `${names.at(-1)!}${ending}`];
    const found = new Map<Coding, InsideFile>();
    const open = codings.map(async (coding) => {
      const file = fileOf(await this.#door.open(beside(coding.ending)));
      if (file === undefined) return;
      // In whole seconds: a checkout of git writes files in any order.
      const isOlder = Math.floor(file.facts.modified / 1000) < Math.floor(facts.modified / 1000);
      if (isOlder) file.close();
      else found.set(coding, file);
    });
    await Promise.all(open);
    const wanted = codingsIn(request.field("accept-encoding")).find((its) => found.has(its));
    for (const [coding, file] of found) if (coding !== wanted) file.close();
    const best = wanted && { coding: wanted, file: found.get(wanted)! };
    return { best, varies: found.size > 0 };
  }

  /** No file has that path. `names` are empty where none can. */
  async #absent(request: SiteRequest, names: readonly string[]): Promise<SiteAnswer> {
    const { fallback } = this.#options;
    // A script that is missing is no page, and a request of a script for data is none either.
    const isPage = wantsPage(request) && !isAsset(names.at(-1) ?? "");
    if (fallback !== undefined && names.length > 0 && isPage) {
      const path = fallback.split("/").filter((name) => name !== "" && name !== ".");
      const file = fileOf(await this.#door.open(path));
      if (file !== undefined) return await this.#send(file, { request, names: path });
    }
    const page = fileOf(await this.#door.open([notFoundName]));
    if (page !== undefined && wantsPage(request)) {
      return await this.#send(page, { request, names: [notFoundName], status: 404 });
    }
    page?.close();
    const own = await this.#door.open([]);
    if (own.kind === "folder") own.folder.close();
    else if (own.kind === "file") own.file.close();
    if (own.kind === "no folder" || own.kind === "file") {
      return this.#unusable(request, { its: { kind: "no folder" }, names });
    }
    const title = "There is no such file";
    const what = [html`<code>${decodedPath(request.path)}</code> is not in this site.`];
    return this.#refuse(request, { status: 404, title, what });
  }

  #unusable(
    request: SiteRequest,
    {
      its,
      names,
    }: { its: Exclude<Inside, { kind: "file" | "folder" | "absent" }>; names: readonly string[] },
  ): SiteAnswer {
    const { folder } = this.#options;
    const name = names.at(-1) ?? folder;
    if (its.kind === "no folder") {
      return this.#refuse(request, {
        status: 503,
        title: "The folder of this site is not there",
        what: [`${folder} does not exist, or not yet.`],
      });
    }
    if (its.kind === "refused") {
      const title = "This file is not given out";
      return this.#refuse(request, { status: 403, title, what: [`${name} ${its.why}.`] });
    }
    if (its.code === "EACCES" || its.code === "EPERM") {
      const what = [
        `${name} cannot be read by the user as whom localhostess runs; chmod u+r helps.`,
      ];
      return this.#refuse(request, { status: 403, title: "This file cannot be read", what });
    }
    const what = [`The system says of ${name}: ${its.code}.`];
    return this.#refuse(request, { status: 503, title: "This file cannot be read now", what });
  }

  #refuse(request: SiteRequest, its: Omit<Refusal, "aside" | "reload">): SiteAnswer {
    return refused(request, { ...its, aside: this.#options.title, reload: this.#reloads });
  }
}

function withEnding(names: readonly string[]): string[] {
  return [...names.slice(0, -1), `${names.at(-1)!}.html`];
}

/** Undefined where it is no file; a folder is closed. */
function fileOf(its: Inside): InsideFile | undefined {
  if (its.kind === "folder") its.folder.close();
  return its.kind === "file" ? its.file : undefined;
}

/** Kept by browsers only as long as they ask each time: the folder may become a file. */
function moved({ query }: SiteRequest, path: string): SiteAnswer {
  return bare(308, [["Location", `${path}${query}`]]);
}

function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // As it was sent, then.
    return path;
  }
}
