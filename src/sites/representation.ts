/** A file that is open -> the answer with it, or with the part of it that was asked for, or without it. */
import type { InsideFile } from "../system/folder-door.ts";
import {
  type Content,
  contentOf,
  joined,
  noContent,
  partOf,
  type Segment,
  type SiteAnswer,
} from "./answer.ts";
import { isSameVersion, verdictOn, type Version } from "./conditions.ts";
import { rangesIn } from "./ranges.ts";
import { frontLength, scriptPlace, scriptTag } from "./reload-script.ts";
import type { SiteRequest } from "./site-request.ts";

/** Media type, coding and variance of one form of a file. */
export type Form = {
  type: string;
  coding: string | undefined;
  /** Other forms of it go to clients with another Accept-Encoding. */
  varies: boolean;
  /** The script that loads a page again is put into it. */
  scripted: boolean;
  /** 404 for a page that stands in the place of a file that is not there. */
  status: 200 | 404;
};

/** Takes the file over, and closes it where this throws. @throws what the system says of a read. */
export async function represented(
  file: InsideFile,
  { request, form }: { request: SiteRequest; form: Form },
): Promise<SiteAnswer> {
  try {
    const content = form.scripted ? await scripted(file) : plain(file);
    const isPlain = content.segments.length < 2;
    const version: Version = {
      tag: `"${file.facts.identity}${isPlain ? "" : "-r"}"`,
      modified: Math.floor(file.facts.modified / 1000) * 1000,
    };
    return { ...answerWith(content, { request, form, version }), close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

type Asked = { request: SiteRequest; form: Form; version: Version };

function answerWith(content: Content, { request, form, version }: Asked): SiteAnswer {
  const { type, coding, varies, status } = form;
  const kept = [
    ["Cache-Control", "no-cache"],
    ["ETag", version.tag],
    ...(varies ? [["Vary", "Accept-Encoding"] as const] : []),
  ] as const;
  const fields: SiteAnswer["fields"] = [
    ["Content-Type", type],
    ["Last-Modified", new Date(version.modified).toUTCString()],
    ["Accept-Ranges", "bytes"],
    ["X-Content-Type-Options", "nosniff"],
    ...(coding === undefined ? [] : [["Content-Encoding", coding] as const]),
    ...kept,
  ];
  // Preconditions are of the file that was asked for.
  if (status !== 200) return { status, fields, content };
  const verdict = verdictOn(request.field, version);
  if (verdict === "not modified") return { status: 304, fields: kept };
  if (verdict !== "send") return { status: 412, fields: kept, content: noContent };
  if (request.method !== "GET" || !isSameVersion(request.field("if-range"), version)) {
    return { status, fields, content };
  }
  return ranged(content, { range: request.field("range"), fields });
}

function ranged(
  content: Content,
  { range, fields }: { range: string | undefined; fields: SiteAnswer["fields"] },
): SiteAnswer {
  const size = content.length;
  const ranges = rangesIn(range, size);
  if (ranges.kind === "whole") return { status: 200, fields, content };
  if (ranges.kind === "unsatisfiable") {
    const its = [
      ["Content-Range", `bytes */${size}`],
      ["X-Content-Type-Options", "nosniff"],
    ] as const;
    return { status: 416, fields: its, content: noContent };
  }
  const { parts } = ranges;
  const rangeOf = ({ from, to }: { from: number; to: number }): string =>
    `bytes ${from}-${to - 1}/${size}`;
  if (parts.length === 1) {
    const its = [...fields, ["Content-Range", rangeOf(parts[0]!)] as const];
    return { status: 206, fields: its, content: joined(partOf(content, parts[0]!)) };
  }
  const [[, type]] = fields as unknown as [[string, string]];
  const boundary = crypto.randomUUID();
  const segments: Segment[] = [];
  for (const part of parts) {
    const lines = [`--${boundary}`, `Content-Type: ${type}`, `Content-Range: ${rangeOf(part)}`];
    segments.push(Buffer.from(`\r\n${lines.join("\r\n")}\r\n\r\n`), ...partOf(content, part));
  }
  segments.push(Buffer.from(`\r\n--${boundary}--\r\n`));
  const its = [
    ["Content-Type", `multipart/byteranges; boundary=${boundary}`] as const,
    ...fields.filter(([name]) => name !== "Content-Type"),
  ];
  return { status: 206, fields: its, content: joined(segments) };
}

function plain(file: InsideFile): Content {
  const { size } = file.facts;
  return size === 0 ? noContent : joined([{ file, from: 0, to: size }]);
}

/** Only the front of a page is read for it, however long the page is. */
async function scripted(file: InsideFile): Promise<Content> {
  const { size } = file.facts;
  const buffer = Buffer.alloc(Math.min(size, frontLength));
  const count = await file.read(buffer, { at: 0, count: buffer.length });
  const place = scriptPlace(buffer.toString("latin1", 0, count));
  if (place === undefined) return plain(file);
  const before: Segment[] = place === 0 ? [] : [{ file, from: 0, to: place }];
  const after: Segment[] = place === size ? [] : [{ file, from: place, to: size }];
  return joined([...before, ...contentOf(scriptTag).segments, ...after]);
}
