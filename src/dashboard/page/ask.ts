/** A path of the API -> its answer, with the session of this page. */
import { signal } from "@preact/signals";

/** The session is over. */
export const signedOut = signal(false);

/** Undefined if there is no answer, or an error. */
export async function ask<T>(path: string): Promise<T | undefined> {
  try {
    const response = await fetch(path, { credentials: "same-origin" });
    if (response.status === 401) signedOut.value = true;
    return response.ok ? ((await response.json()) as T) : undefined;
  } catch {
    // The event stream notices that the daemon is gone, and shows it.
    return undefined;
  }
}

/** Sends a command. @returns why it failed; undefined: it succeeded. */
export async function tell(path: string, body: unknown): Promise<string | undefined> {
  try {
    const response = await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.status === 401) signedOut.value = true;
    const last = (await response.text()).trim().split("\n").at(-1) ?? "";
    const said = JSON.parse(last) as { Error?: string; error?: { message?: string } } | string;
    if (typeof said === "string") return undefined;
    return said.Error ?? said.error?.message;
  } catch {
    return "the daemon did not answer";
  }
}

/** Lines of JSON as they come, until the answer ends or `signal` is aborted. */
export async function* linesOf<T>(path: string, signal: AbortSignal): AsyncGenerator<T> {
  const response = await fetch(path, { credentials: "same-origin", signal });
  if (!response.ok || response.body === null) return;
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield JSON.parse(line) as T;
  }
}
