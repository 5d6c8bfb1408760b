/** A page about a problem, as its parts: the shape of all of them. */
import type { Html } from "../../text/html.ts";

/** `awaits`: the event that the page waits for, in a sentence, if time may mend the problem. */
export type Story = { title: string; body: Html; awaits?: string };

export const listens = "This page shows the server when it listens.";
