/** A service -> the addresses that a person may open. */
/** @jsxImportSource preact */
import { type Entry, isUp } from "./model.ts";

/** Only these are made into links, whatever the daemon sends. */
function isAddress(url: string | null | undefined): url is string {
  return typeof url === "string" && /^https?:\/\/[^/]+$/.test(url);
}

function urlsOf({ declared, found }: Entry): readonly string[] {
  const all = found === undefined ? [declared?.url] : [found.url, found.secure_url];
  return all.filter(isAddress);
}

/** Whether somebody is there, or comes with the first request. */
function answers({ declared, found }: Entry): boolean {
  return found !== undefined || (declared !== undefined && (declared.lazy || isUp(declared)));
}

/** Full addresses, to be copied. */
export function Addresses({ entry }: { entry: Entry }) {
  const urls = urlsOf(entry);
  if (urls.length === 0) return <span class="soft">no address</span>;
  return (
    <span class="addresses">
      {urls.map((url) => (
        <a key={url} href={`${url}/`} target="_blank" rel="noopener noreferrer">
          {url}
        </a>
      ))}
    </span>
  );
}

/** The cell with the links of a row. */
export function Links({ entry }: { entry: Entry }) {
  const urls = answers(entry) ? urlsOf(entry) : [];
  if (urls.length === 0) {
    return (
      <td data-label="Links" class="soft none">
        –
      </td>
    );
  }
  return (
    <td data-label="Links" class="links">
      {urls.map((url) => {
        const word = url.slice(0, url.indexOf(":"));
        return (
          <a
            key={url}
            href={`${url}/`}
            target="_blank"
            rel="noopener noreferrer"
            aria-label={`Open ${url}, ${word}`}
            title={url}
          >
            {word}
          </a>
        );
      })}
    </td>
  );
}
