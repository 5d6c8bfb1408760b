/** The keys of `type = "site"` -> the files of a folder. Pure. */
import { description, optional, pipe, union } from "valibot";
import { absolute } from "../../text/absolute.ts";
import { expected, flag, text } from "./forms.ts";
import type { SiteSpec } from "./own.ts";
import type { OwnReader } from "./reader.ts";

export const siteKeys = {
  path: optional(
    pipe(
      text("a folder"),
      description("Of a site: the folder of its files, relative to the project's folder."),
    ),
  ),
  spa: optional(
    pipe(
      union([flag, text("a file")], expected('true, or a file such as "app.html"')),
      description(
        "Of a site: paths that are no file are answered with index.html, or with this file.",
      ),
    ),
  ),
  listing: optional(
    pipe(flag, description("Of a site: folders without an index.html are listed. Default: true.")),
  ),
  reload: optional(
    pipe(flag, description("Of a site: its pages are loaded again when a file of it changes.")),
  ),
};

export function readSite({ value, has, wrong, directory }: OwnReader): SiteSpec {
  const path = value<string>("path");
  if (!has("path")) wrong("path", 'path is required, such as path = "dist"');
  if (has("build") && typeof value("build") === "object") {
    wrong("build", 'expected a command such as "bun run build"; a container is built from a table');
  }
  const spa = value<boolean | string>("spa") ?? false;
  if (typeof spa === "string" && (spa.startsWith("/") || spa.split("/").includes(".."))) {
    wrong("spa", "expected true, or a file in the site's folder, relative to it");
  }
  return {
    kind: "site",
    path: absolute(path ?? ".", directory),
    fallback: spa === true ? "index.html" : spa === false ? undefined : spa,
    listing: value<boolean>("listing") ?? true,
    reload: value<boolean>("reload") ?? false,
  };
}
