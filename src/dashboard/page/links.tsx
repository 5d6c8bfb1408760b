/** A service -> the addresses that a person may open. */
/** @jsxImportSource preact */
import type { ServiceReport } from "../../routes/service-report.ts";

/** Full addresses, to be copied. */
export function Addresses({ service }: { service: ServiceReport }) {
  const urls = [service.url, service.secure_url].filter(isAddress);
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

/** Only these are made into links, whatever the daemon sends. */
function isAddress(url: string | null): url is string {
  return url !== null && /^https?:\/\/[^/]+$/.test(url);
}

export function Links({ service }: { service: ServiceReport }) {
  const { url, secure_url: secureUrl } = service;
  if (!isAddress(url)) return <span class="soft">no address</span>;
  return (
    <span class="links">
      <Address url={url} word="http" />
      {!isAddress(secureUrl) ? null : <Address url={secureUrl} word="https" />}
    </span>
  );
}

function Address({ url, word }: { url: string; word: string }) {
  return (
    <a
      href={`${url}/`}
      target="_blank"
      rel="noopener noreferrer"
      aria-label={`Open ${url}`}
      title={url}
    >
      {word}
    </a>
  );
}
