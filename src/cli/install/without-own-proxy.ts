/** An environment -> the same without variables that lead a download through our own proxy. Pure. */

/** As curl, npm and their like read them; npm has its settings as variables too. */
const proxyVariable = /^(?:https?|all|npm_config(?:_https?|_http)?)_proxy$/i;

/**
 * A download through a daemon that is about to be replaced would hang on the one thing that it changes. A proxy that a
 * company needs stays.
 */
export function withoutOwnProxy(
  env: Readonly<Record<string, string | undefined>>,
  ports: readonly number[],
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => {
      const [name, value] = entry;
      return value !== undefined && !(proxyVariable.test(name) && isOurs(value, ports));
    }),
  );
}

function isOurs(text: string, ports: readonly number[]): boolean {
  const url = URL.parse(/^[\w.+-]+:\/\//.test(text) ? text : `http://${text}`);
  if (url === null) return false;
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  return isLocal(url.hostname) && ports.includes(port);
}

function isLocal(host: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(host);
}
