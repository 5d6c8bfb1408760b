/** The script that loads a page again when its site changes, and where it goes in a page. Pure. */

/** Paths of the script and of the stream of events: no file of a site has a hidden name. */
export const scriptPath = "/.localhostess/reload.js";
export const eventsPath = "/.localhostess/reload";

/** A file of its own, so that a page's policy which allows scripts of the page's own origin allows this one. */
export const scriptTag = `<script src="${scriptPath}" async></script>`;

/**
 * A page in the background listens to nothing: browsers have six connections of HTTP/1.1 to one origin. Once it is seen
 * again, the first event tells whether it missed something. A site that is stopped answers with a page of ours, after
 * which an EventSource does not try again by itself.
 */
export const reloadScript = `(() => {
  let known;
  let source;
  let later;
  const styles = (paths) => {
    const links = [...document.querySelectorAll("link[rel~=stylesheet][href]")];
    const found = paths.map((path) => links.filter((link) => {
      const url = new URL(link.href);
      return url.origin === location.origin && decodeURIComponent(url.pathname) === path;
    }));
    if (found.some((those) => those.length === 0)) return false;
    for (const link of found.flat()) {
      const next = link.cloneNode();
      const url = new URL(link.href);
      url.searchParams.set("localhostess", Date.now());
      next.href = url.href;
      next.onload = next.onerror = () => link.remove();
      link.after(next);
    }
    return true;
  };
  const listen = () => {
    source = new EventSource("${eventsPath}");
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) later = setTimeout(look, 1000);
    };
    source.addEventListener("version", ({ data }) => {
      if (known !== undefined && known !== data) location.reload();
      known = data;
    });
    source.addEventListener("change", ({ data }) => {
      const { version, paths } = JSON.parse(data);
      known = version;
      const isStyle = paths.length > 0 && paths.every((path) => path.endsWith(".css"));
      if (!isStyle || !styles(paths)) location.reload();
    });
  };
  const look = () => {
    clearTimeout(later);
    source?.close();
    if (!document.hidden) listen();
  };
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", ({ persisted }) => persisted && look());
  look();
})();
`;

/** Bytes at the front of a page in which its head begins, as a rule far earlier. */
export const frontLength = 16_384;

const space = /(?:\s|<!--(?!>)[\s\S]*?-->)*/y;
const doctype = /<!doctype[^>]*>/iy;
const html = /<html(?:\s(?:"[^"]*"|'[^']*'|[^>"'])*)?>/iy;
const head = /<head(?:\s(?:"[^"]*"|'[^']*'|[^>"'])*)?>/iy;

/** The offset behind `<head>`, or where that would be; undefined for what is no whole page. One character per octet. */
export function scriptPlace(front: string): number | undefined {
  let at = front.startsWith("\xef\xbb\xbf") ? 3 : 0;
  let place: number | undefined;
  for (const tag of [doctype, html, head]) {
    space.lastIndex = at;
    space.test(front);
    const begin = space.lastIndex;
    tag.lastIndex = begin;
    if (tag.test(front)) {
      at = tag.lastIndex;
      place = at;
    }
  }
  return place;
}
