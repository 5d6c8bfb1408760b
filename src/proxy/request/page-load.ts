/** A request -> whether a browser loads a page with it. Pure. */
import { Field } from "../../wire/field.ts";
import type { RequestFraming } from "../../wire/framing.ts";
import type { RequestHead } from "../../wire/head.ts";
import { asksForHtml } from "../pages/negotiate.ts";

/**
 * Fetch section 2.2.5: browsers state this themselves. Those before 2020 (Safari: 2023) only ask for a page by its
 * type.
 */
export function isPageLoad(head: RequestHead, bytes: Uint8Array, framing: RequestFraming): boolean {
  if (framing.upgrade || framing.bodyLength !== 0) return false;
  if (!["GET", "HEAD"].includes(head.method(bytes))) return false;
  const accepts: string[] = [];
  for (let index = 0; index < head.fieldCount; index++) {
    const id = head.idOf(index);
    if (id === Field.secFetchMode) return head.valueOf(bytes, index) === "navigate";
    if (id === Field.accept) accepts.push(head.valueOf(bytes, index));
  }
  return asksForHtml(accepts.join(", "));
}
