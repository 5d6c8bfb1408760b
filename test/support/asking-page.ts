/** Origins to ask -> a page that asks each of them in every way a page has, and reports to its own origin, and goes on to the next. */

/** The ways of a page to make a request. Each ends with the request's answer, or after `longest`. */
export const askKinds = [
  "link",
  "form-get",
  "form-post",
  "form-post-allowed",
  "fetch-no-cors",
  "fetch-cors",
  "fetch-post",
  "fetch-json",
  "fetch-credentials",
  "fetch-no-referrer",
  "beacon",
  "websocket",
  "eventsource",
  "image",
  "script",
  "style",
  "frame",
  "embed",
  "prefetch",
  "worker",
  "service-worker",
  "opaque-post",
  "opaque-get",
] as const;

/** The kinds that open a window. A page behind it is not laid out, and loads no more of what it shows. */
export const opening: readonly AskKind[] = ["link", "form-get", "form-post", "form-post-allowed"];

export type AskKind = (typeof askKinds)[number];

/** Milliseconds after which the page goes on without an outcome. */
const longest = 4_000;

export type PageOptions = {
  /** Base URLs, by a label. */
  targets: Readonly<Record<string, string>>;
  kinds: readonly AskKind[];
  /** The page that comes after this one. */
  next: string | undefined;
};

/** The page asks `<target>/<kind>?to=<label>`, and POSTs the outcomes to `/report`, with its own query, as JSON: `{"label kind": "..."}`. */
export function askingPage(options: PageOptions): string {
  const facts = JSON.stringify({ ...options, longest }).replaceAll("<", "\\u003c");
  const script = `const { targets, kinds, next, longest } = ${facts};\n(${asks.toString()})();`;
  return `<!doctype html><meta charset="utf-8"><title>asks</title><link rel="icon" href="data:,">
<body><script>${script.replaceAll("</script", "<\\/script")}</script>`;
}

/** The service worker that the page registers: whatever is asked of `/through` it fetches from where `url` says. */
export const serviceWorker = `
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => {
  event.waitUntil(
    fetch(event.data, { mode: "no-cors" }).then(
      (answer) => event.source.postMessage(answer.type),
      (error) => event.source.postMessage("error " + error.message),
    ),
  );
});
`;

declare const targets: PageOptions["targets"];
declare const kinds: readonly AskKind[];
declare const next: string | undefined;

/** Runs in the browser, as text. */
function asks(): void {
  const late = () => new Promise<string>((resolve) => setTimeout(() => resolve("late"), longest));
  const place = (element: HTMLElement & { onload: unknown; onerror: unknown }): Promise<string> =>
    new Promise((resolve) => {
      element.onload = () => resolve("load");
      element.onerror = () => resolve("error");
      // A browser may leave alone what is not in view.
      element.style.cssText = "position: fixed; top: 0; left: 0; width: 9px; height: 9px";
      document.body.append(element);
    });
  const made = (name: string, values: Record<string, string>): any =>
    Object.assign(document.createElement(name), values);
  const fetched = (url: string, init?: RequestInit): Promise<string> =>
    fetch(url, init).then(
      (answer) => `${answer.type} ${answer.status}`,
      (error) => `error ${error.message}`,
    );
  const submit = (action: string, method: string): string => {
    const form = made("form", { action, method, target: "_blank" });
    form.append(made("input", { name: "to", value: new URL(action).searchParams.get("to")! }));
    document.body.append(form);
    form.submit();
    return "submitted";
  };
  /** A frame whose origin is \`null\`. */
  const opaque = (url: string, init: string): Promise<string> => {
    const script = `fetch(${JSON.stringify(url)}, ${init}).then((a) => a.type, String).then((t) => parent.postMessage(t, "*"))`;
    const frame = made("iframe", { srcdoc: `<script>${script}<\/script>` });
    frame.setAttribute("sandbox", "allow-scripts");
    return new Promise((resolve) => {
      addEventListener("message", ({ source, data }) => {
        if (source === frame.contentWindow) resolve(data);
      });
      document.body.append(frame);
    });
  };
  const ways: Record<AskKind, (url: string) => Promise<string> | string> = {
    link(url) {
      made("a", { href: url, target: "_blank", rel: "noopener" }).click();
      return "clicked";
    },
    "form-get": (url) => submit(url, "get"),
    "form-post": (url) => submit(url, "post"),
    "form-post-allowed": (url) => submit(url, "post"),
    "fetch-no-cors": (url) => fetched(url, { mode: "no-cors" }),
    "fetch-cors": (url) => fetched(url),
    "fetch-post": (url) => fetched(url, { mode: "no-cors", method: "POST", body: "a=b" }),
    "fetch-json": (url) =>
      fetched(url, {
        method: "PUT",
        headers: { "Content-Type": "application/json" },
        body: "{}",
      }),
    "fetch-credentials": (url) => fetched(url, { credentials: "include" }),
    "fetch-no-referrer": (url) => fetched(url, { mode: "no-cors", referrerPolicy: "no-referrer" }),
    beacon: (url) => String(navigator.sendBeacon(url, "a=b")),
    websocket: (url) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url.replace(/^http/, "ws"));
        socket.onopen = () => {
          resolve("open");
          socket.close();
        };
        socket.onerror = () => resolve("error");
      }),
    eventsource: (url) =>
      new Promise((resolve) => {
        const events = new EventSource(url);
        events.onmessage = () => {
          resolve("message");
          events.close();
        };
        events.onerror = () => {
          resolve("error");
          events.close();
        };
      }),
    image: (url) => place(made("img", { src: url })),
    script: (url) => place(made("script", { src: url })),
    style: (url) => place(made("link", { rel: "stylesheet", href: url })),
    frame: (url) => place(made("iframe", { src: url })),
    embed: (url) => place(made("embed", { src: url, type: "text/html" })),
    prefetch: (url) => place(made("link", { rel: "prefetch", href: url, as: "fetch" })),
    worker: (url) =>
      new Promise((resolve) => {
        const text = `try { importScripts(${JSON.stringify(url)}); postMessage("ran") } catch (e) { postMessage("error") }`;
        const worker = new Worker(URL.createObjectURL(new Blob([text])));
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = () => resolve("error");
      }),
    "service-worker": async (url) => {
      await navigator.serviceWorker.register("/service-worker.js");
      const { active } = await navigator.serviceWorker.ready;
      return await new Promise((resolve) => {
        navigator.serviceWorker.addEventListener("message", ({ data }) => resolve(data));
        active!.postMessage(url);
      });
    },
    "opaque-post": (url) => opaque(url, `{ mode: "no-cors", method: "POST" }`),
    "opaque-get": (url) => opaque(url, `{ mode: "no-cors" }`),
  };
  const run = async (): Promise<void> => {
    const outcomes: Record<string, string> = {};
    await Promise.all(
      kinds.map(async (kind) => {
        for (const [label, base] of Object.entries(targets)) {
          const path = kind === "form-post-allowed" ? "/auth/callback" : `/${kind}`;
          const url = `${base}${path}?to=${label}`;
          try {
            outcomes[`${label} ${kind}`] = await Promise.race([ways[kind](url), late()]);
          } catch (error) {
            outcomes[`${label} ${kind}`] = `threw ${error}`;
          }
        }
      }),
    );
    await fetch(`/report${location.search}`, { method: "POST", body: JSON.stringify(outcomes) });
    if (next !== undefined) location.href = next;
  };
  void run();
}
