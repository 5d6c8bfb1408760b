/** A request -> whether its answer may tell command lines, folders, processes and log lines: to a person, and never to a script. Pure. */
import { equalsIgnoreCase } from "../../wire/bytes.ts";
import { Field } from "../../wire/field.ts";
import { NAME_START, FIELD_STRIDE, type FieldLines } from "../../wire/head.ts";

const fetchMetadata = "sec-fetch-";

/**
 * A browser says by Fetch Metadata what a request is for, and no script can say it: told is the page of a tab or a window. A frame is
 * not, as the page around it might read it; nor what a service worker has loaded ahead, which it hands to its script.
 *
 * Without these fields it is a program in a terminal, or a browser: one of before 2023, or one that takes the URL for insecure
 * (`http://api/`). A browser is told nothing then, as a script's fetch looks like a page load. Scripts can change User-Agent in some
 * browsers, but cannot take Accept-Language away; programs send none.
 */
export function hearsDetails(head: FieldLines, bytes: Uint8Array): boolean {
  let saysFetch = false;
  let navigates = false;
  let elsewhere = false;
  let browser = false;
  for (let index = 0; index < head.fieldCount; index++) {
    const id = head.idOf(index);
    if (id === Field.origin || id === Field.referer) browser = true;
    if (id !== Field.other) continue;
    if (isFetchMetadata(head, bytes, index)) {
      saysFetch = true;
      const value = head.valueOf(bytes, index);
      if (head.isNamed(bytes, index, "sec-fetch-mode")) {
        navigates = value === "navigate";
        elsewhere ||= !navigates;
      } else if (head.isNamed(bytes, index, "sec-fetch-dest")) {
        elsewhere ||= value !== "document";
      }
    } else if (head.isNamed(bytes, index, "service-worker-navigation-preload")) {
      return false;
    } else if (head.isNamed(bytes, index, "accept-language")) {
      browser = true;
    } else if (head.isNamed(bytes, index, "user-agent")) {
      browser ||= /mozilla\//i.test(head.valueOf(bytes, index));
    }
  }
  return saysFetch ? navigates && !elsewhere : !browser;
}

function isFetchMetadata(head: FieldLines, bytes: Uint8Array, index: number): boolean {
  const start = head.fields[index * FIELD_STRIDE + NAME_START]!;
  return equalsIgnoreCase(bytes, start, start + fetchMetadata.length, fetchMetadata);
}
