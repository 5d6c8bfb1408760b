/** Patterns under a folder -> the paths of files that change, until it is closed; links to folders are followed. */
import { lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import type { WatchPattern } from "../../manifest/watch-pattern.ts";
import type { Cancel, Clock } from "../../system/clock.ts";
import type { FolderEvents, Heard } from "../../system/folder-events.ts";
import { folderIdentity, identityOf } from "../../system/folder-identity.ts";
import { slices } from "../../system/slices.ts";
import { quietNews } from "./quiet-news.ts";
import { fullText, troubleText } from "./watch-trouble.ts";
import { stepInto, type Wanted, wantedFrom } from "../../build/watched-names.ts";

export type WatchTreeOptions = {
  /** Absolute: reported paths are relative to it. */
  folder: string;
  clock: Clock;
  events: FolderEvents;
  /** Milliseconds without a further change before the report. */
  quiet?: number;
  /** Milliseconds since the Unix epoch: until then somebody else has told of changes; by default until now. */
  since?: number | undefined;
  /** Folders that are watched at most. */
  most?: number;
  onChange(paths: readonly string[]): void;
  /** Sentences about all that cannot be watched as it should: each time that they change. */
  onTrouble(troubles: readonly string[]): void;
};

/** Milliseconds between looks at folders without events, and at the next share of all the others. */
const lookPeriod = 2000;

/** Periods in which each folder is looked at once, so that no lost event stays lost: a minute. */
const shares = 30;
/** Folders of a share: 5,000 of ten files each take 1% of a processor, and eight minutes. */
const mostOfShare = 20;

/** Each takes a watch of the kernel's, of which a user has a few thousand (fs.inotify.max_user_watches). */
const mostFolders = 5000;

/** Milliseconds of work after which the event loop gets its turn. */
const slice = 5;

/** Names that are looked at before the next question whether the slice is over. */
const batch = 100;

/** Links into these lead to what is no file. */
const noFiles = /^\/(?:proc|sys|dev)(?:\/|$)/;

type Node = {
  readonly path: string;
  /** Without links. */
  readonly real: string;
  readonly parent: Node | undefined;
  readonly wanted: Wanted;
  heard: Heard;
  /** False until it has been looked at once: until then, files are news only if `isNews` says so. */
  scanned: boolean;
  /** Milliseconds since the Unix epoch: before the first look, only files that changed later are news. */
  readonly since: number;
  readonly files: Map<string, string>;
  readonly folders: Map<string, Node>;
  /** Links to files: the folder of what each leads to is listened to as well. */
  readonly links: Map<string, { to: string; heard: Heard }>;
  gone: boolean;
};

type Due = Map<Node, Set<string> | "all">;

export class WatchTree {
  readonly #options: WatchTreeOptions;
  readonly #news: ReturnType<typeof quietNews>;
  readonly #turn = slices(slice);
  readonly #stopLooking: Cancel;
  readonly #due: Due = new Map();
  /** Linked folders wait for the others: the limit must not be used up by what a link leads to. */
  readonly #linked: Due = new Map();
  readonly #nodes = new Set<Node>();
  /** The next in turn for a look without a reason. */
  #share: Iterator<Node> = [][Symbol.iterator]();
  readonly #unreadable = new Map<string, string>();
  #left: string | undefined;
  /** Why no news come, and of which folder first. */
  #codes: ReadonlyMap<string, string> = new Map();
  #told = "";
  #working: Promise<void> | undefined;
  #closed = false;

  constructor(patterns: readonly WatchPattern[], options: WatchTreeOptions) {
    this.#options = options;
    this.#news = quietNews(options);
    this.#stopLooking = options.clock.every(lookPeriod, () => this.#lookAround());
    const { base, wanted } = wantedFrom(patterns, options.folder);
    const { since = Date.now() } = options;
    this.#add({ path: base, real: base, parent: undefined, wanted, since });
  }

  /** Resolves once everything that is known to have changed has been looked at. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  /** Reports at once what has been heard of. */
  flush(): void {
    this.#news.flush();
  }

  /** Twice is harmless. */
  close(): void {
    this.#closed = true;
    this.#stopLooking();
    this.#news.cancel();
    for (const node of [...this.#nodes]) this.#forget(node);
    this.#due.clear();
    this.#linked.clear();
  }

  #add(
    its: Pick<Node, "path" | "real" | "parent" | "wanted" | "since">,
    { linked = false }: { linked?: boolean } = {},
  ): Node | undefined {
    const { folder, most = mostFolders } = this.#options;
    if (this.#nodes.size >= most) {
      this.#left ??= fullText({ folder, most, left: its.path });
      return undefined;
    }
    const node: Node = {
      ...its,
      // Before it is listed: what comes later is heard of.
      heard: { identity: "", deaf: undefined, cancel() {} },
      scanned: false,
      files: new Map(),
      folders: new Map(),
      links: new Map(),
      gone: false,
    };
    this.#nodes.add(node);
    this.#listen(node);
    this.#queue(node, undefined, linked ? this.#linked : this.#due);
    return node;
  }

  #listen(node: Node): void {
    node.heard.cancel();
    node.heard = this.#options.events.hear(node.path, (name) => {
      if (node.gone) return;
      if (name === undefined || stepInto(node.wanted, name).below || this.#isFile(node, name)) {
        this.#queue(node, name);
      }
    });
  }

  #isFile(node: Node, name: string): boolean {
    return stepInto(node.wanted, name).file;
  }

  #queue(node: Node, name: string | undefined, due = this.#due): void {
    if (this.#closed) return;
    const known = due.get(node);
    if (name === undefined) due.set(node, "all");
    else if (known === undefined) due.set(node, new Set([name]));
    else if (known !== "all") known.add(name);
    this.#working ??= new Promise<void>((resume) => setImmediate(resume))
      .then(() => this.#work())
      .finally(() => {
        this.#working = undefined;
        this.#tellTrouble();
      });
  }

  async #work(): Promise<void> {
    for (;;) {
      await this.#turn();
      const due = this.#due.size > 0 ? this.#due : this.#linked;
      const [first] = due;
      if (this.#closed || first === undefined) return;
      const [node, names] = first;
      due.delete(node);
      if (node.gone) continue;
      await (names === "all" ? this.#look(node) : this.#checkAll(node, names));
    }
  }

  /** Everything that is wanted in a folder. */
  async #look(node: Node): Promise<void> {
    const now = folderIdentity(node.path);
    if (now !== node.heard.identity || node.heard.deaf !== undefined) this.#listen(node);
    const names = new Set([
      ...(node.wanted.names ?? this.#list(node)),
      ...node.files.keys(),
      ...node.folders.keys(),
    ]);
    await this.#checkAll(node, names);
    node.scanned = true;
  }

  async #checkAll(node: Node, names: Iterable<string>): Promise<void> {
    let looked = 0;
    for (const name of names) {
      if (++looked % batch === 0) await this.#turn();
      if (node.gone || this.#closed) return;
      this.#check(node, name);
    }
  }

  #list({ path }: Node): string[] {
    try {
      const names = readdirSync(path);
      this.#unreadable.delete(path);
      return names;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // The folder above hears of one that is gone.
      if (code === "ENOENT" || code === "ENOTDIR") this.#unreadable.delete(path);
      else this.#unreadable.set(path, message);
      return [];
    }
  }

  /** A name in a folder, as it is now, beside what is known of it. */
  #check(node: Node, name: string): void {
    const { file, below } = stepInto(node.wanted, name);
    if (!file && below === undefined) return;
    const path = join(node.path, name);
    const its = entryAt(path);
    const child = node.folders.get(name);
    if (child !== undefined && (its.kind !== "folder" || its.identity !== child.heard.identity)) {
      this.#drop(child);
      node.folders.delete(name);
    }
    if (its.kind === "folder") {
      this.#setFile(node, name, undefined);
      if (below !== undefined && !node.folders.has(name))
        this.#enter(node, name, below, its.linked);
      return;
    }
    this.#setFile(node, name, file && its.kind === "file" ? its : undefined);
  }

  #enter(parent: Node, name: string, wanted: Wanted, linked: boolean): void {
    const path = join(parent.path, name);
    let real = join(parent.real, name);
    if (linked) {
      const to = realOf(path);
      if (to === undefined || noFiles.test(to) || leadsUp(to, parent)) return;
      real = to;
    }
    // A folder that came later is news with all that is in it.
    const since = parent.scanned ? 0 : parent.since;
    const made = this.#add({ path, real, parent, wanted, since }, { linked });
    if (made !== undefined) parent.folders.set(name, made);
  }

  #setFile(node: Node, name: string, its: FileEntry | undefined): void {
    const before = node.files.get(name);
    if (its === undefined) {
      node.files.delete(name);
      this.#unlink(node, name);
    } else {
      node.files.set(name, its.fingerprint);
      this.#follow(node, name, its);
    }
    if (before === its?.fingerprint) return;
    if (node.scanned || before !== undefined || its!.changedAt > node.since) {
      this.#tell(join(node.path, name));
    }
  }

  #follow(node: Node, name: string, { linksTo }: FileEntry): void {
    const known = node.links.get(name);
    if (known?.to === linksTo) return;
    this.#unlink(node, name);
    if (linksTo === undefined) return;
    const heard = this.#options.events.hear(dirname(linksTo), (changed) => {
      if (changed === undefined || changed === basename(linksTo)) this.#queue(node, name);
    });
    node.links.set(name, { to: linksTo, heard });
  }

  #unlink(node: Node, name: string): void {
    node.links.get(name)?.heard.cancel();
    node.links.delete(name);
  }

  #tell(path: string): void {
    const { folder } = this.#options;
    this.#news.add(relative(folder, path) || path);
  }

  /** A folder that is gone, with all below: its files have changed. */
  #drop(node: Node): void {
    for (const name of node.files.keys()) this.#tell(join(node.path, name));
    for (const child of node.folders.values()) this.#drop(child);
    this.#forget(node);
  }

  #forget(node: Node): void {
    node.gone = true;
    node.heard.cancel();
    for (const name of [...node.links.keys()]) this.#unlink(node, name);
    this.#nodes.delete(node);
    this.#due.delete(node);
    this.#linked.delete(node);
    this.#unreadable.delete(node.path);
    // There is room again.
    this.#left = undefined;
  }

  /** Looks without a reason: at folders of which no news come, and at a share of the others. */
  #lookAround(): void {
    if (this.#working !== undefined) return;
    for (const node of this.#nodes) {
      if (node.parent === undefined || node.heard.deaf !== undefined) this.#queue(node, undefined);
    }
    const share = Math.min(Math.ceil(this.#nodes.size / shares), mostOfShare);
    for (let left = share; left > 0; left--) {
      let next = this.#share.next();
      if (next.done === true) {
        this.#share = [...this.#nodes][Symbol.iterator]();
        next = this.#share.next();
      }
      if (next.done !== true && !next.value.gone) this.#queue(next.value, undefined);
    }
  }

  #tellTrouble(): void {
    if (this.#closed) return;
    const troubles: string[] = [];
    const codes = new Map<string, string>();
    for (const { path, heard } of this.#nodes) {
      const code = heard.deaf;
      // The same folder for as long as it lasts: another one would be no news.
      if (code !== undefined && !codes.has(code)) codes.set(code, this.#codes.get(code) ?? path);
    }
    this.#codes = codes;
    for (const [code, path] of codes) {
      const text = troubleText({ code, path, period: lookPeriod });
      if (text !== undefined) troubles.push(text);
    }
    const [unreadable] = this.#unreadable;
    if (unreadable !== undefined) {
      const [path, why] = unreadable;
      troubles.push(`${path} cannot be read, so changes in it are not noticed: ${why}`);
    }
    if (this.#left !== undefined) troubles.push(this.#left);
    const told = troubles.join("\n");
    if (told === this.#told) return;
    this.#told = told;
    this.#options.onTrouble(troubles);
  }
}

type FileEntry = {
  kind: "file";
  fingerprint: string;
  /** Milliseconds since the Unix epoch. */
  changedAt: number;
  /** Set for a link: the file that it leads to in the end. */
  linksTo: string | undefined;
};

type Entry = FileEntry | { kind: "folder"; identity: string; linked: boolean } | { kind: "none" };

/** Pipes, sockets and links to nowhere are no files. */
function entryAt(path: string): Entry {
  try {
    const own = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (own === undefined) return { kind: "none" };
    const linked = own.isSymbolicLink();
    const its = linked ? statSync(path, { bigint: true, throwIfNoEntry: false }) : own;
    if (its === undefined) return { kind: "none" };
    if (its.isDirectory()) {
      return { kind: "folder", identity: identityOf(its), linked };
    }
    if (!its.isFile()) return { kind: "none" };
    return {
      kind: "file",
      // Without the time of the inode's change: another mode or owner is no other content.
      fingerprint: `${its.dev} ${its.ino} ${its.size} ${its.mtimeNs}`,
      changedAt: Number(its.ctimeMs),
      linksTo: linked ? realOf(path) : undefined,
    };
  } catch {
    // A loop of links, or in a folder of another user: nothing of it can be watched.
    return { kind: "none" };
  }
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // The link leads nowhere any more.
    return undefined;
  }
}

/** True for a folder that the link, or a folder on the way to it, stands in: it would be entered without end. */
function leadsUp(to: string, from: Node): boolean {
  const inside = to === "/" ? "/" : `${to}/`;
  for (let node: Node | undefined = from; node !== undefined; node = node.parent) {
    if (`${node.real}/`.startsWith(inside)) return true;
  }
  return false;
}
