/** A file's name -> its media type. Pure. */

/** Types of text, which are sent as UTF-8. */
const texts: Readonly<Record<string, string>> = {
  html: "text/html",
  htm: "text/html",
  css: "text/css",
  js: "text/javascript",
  mjs: "text/javascript",
  cjs: "text/javascript",
  txt: "text/plain",
  text: "text/plain",
  log: "text/plain",
  ts: "text/plain",
  tsx: "text/plain",
  jsx: "text/plain",
  toml: "text/plain",
  sh: "text/plain",
  md: "text/markdown",
  csv: "text/csv",
  tsv: "text/tab-separated-values",
  ics: "text/calendar",
  vtt: "text/vtt",
  xml: "text/xml",
  xsl: "text/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
  rss: "application/rss+xml",
  atom: "application/atom+xml",
  xhtml: "application/xhtml+xml",
  svg: "image/svg+xml",
};

/** IANA's names; JSON is UTF-8 by itself (RFC 8259 section 8.1). */
const others: Readonly<Record<string, string>> = {
  json: "application/json",
  map: "application/json",
  jsonld: "application/ld+json",
  geojson: "application/geo+json",
  webmanifest: "application/manifest+json",
  wasm: "application/wasm",
  pdf: "application/pdf",
  zip: "application/zip",
  gz: "application/gzip",
  tgz: "application/gzip",
  br: "application/octet-stream",
  zst: "application/zstd",
  tar: "application/x-tar",
  bz2: "application/x-bzip2",
  xz: "application/x-xz",
  "7z": "application/x-7z-compressed",
  epub: "application/epub+zip",
  rtf: "application/rtf",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  png: "image/png",
  apng: "image/apng",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  ico: "image/x-icon",
  bmp: "image/bmp",
  tif: "image/tiff",
  tiff: "image/tiff",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  aac: "audio/aac",
  ogg: "audio/ogg",
  oga: "audio/ogg",
  opus: "audio/ogg",
  wav: "audio/wav",
  flac: "audio/flac",
  weba: "audio/webm",
  mp4: "video/mp4",
  m4v: "video/mp4",
  mov: "video/quicktime",
  webm: "video/webm",
  ogv: "video/ogg",
  mkv: "video/x-matroska",
  m3u8: "application/vnd.apple.mpegurl",
  mpd: "application/dash+xml",
  woff: "font/woff",
  woff2: "font/woff2",
  ttf: "font/ttf",
  otf: "font/otf",
  eot: "application/vnd.ms-fontobject",
  glb: "model/gltf-binary",
  gltf: "model/gltf+json",
};

const unknown = "application/octet-stream";

export function contentType(name: string): string {
  const ending = endingOf(name);
  const text = Object.hasOwn(texts, ending) ? texts[ending] : undefined;
  if (text !== undefined) return `${text}; charset=utf-8`;
  return Object.hasOwn(others, ending) ? others[ending]! : unknown;
}

/** Lower case, without its dot; empty where there is none. */
export function endingOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? "" : name.slice(dot + 1).toLowerCase();
}

/** Whether a name says that it is a file, and none that a browser shows as a page: `app.js` and `logo.png`. */
export function isAsset(name: string): boolean {
  const type = contentType(name);
  return type !== unknown && !type.startsWith("text/html");
}

/** Whether bundlers compress such files: what is compressed by its format has no neighbours. */
export function isCompressible(type: string): boolean {
  return /^text\/|\bxml\b|json|javascript|yaml|wasm|font\/(?:ttf|otf)|fontobject|x-icon|bmp/.test(
    type,
  );
}
