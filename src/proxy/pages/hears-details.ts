/**
 * A request -> whether its answer may contain command lines, folders, processes and log lines. A script's never may.
 * Pure.
 */
import { equalsIgnoreCase } from "../../wire/bytes.ts";
import { Field } from "../../wire/field.ts";
import { NAME_START, FIELD_STRIDE, type FieldLines } from "../../wire/head.ts";

const fetchMetadata = "sec-fetch-";

/**
 * Fetch Metadata states the purpose of a browser's request, and scripts cannot set it. Details are shown only to the
 * page of a tab or window. A frame gets none, because the page around it might read it; nor does a request that a
 * service worker preloads and hands to its script.
 *
 * A request without these fields comes from a program in a terminal, or from a browser: one from before 2023, or one
 * that considers the URL insecure (`http://api/`). A browser gets no details then, because a script's fetch looks like
 * a page load. Scripts can change User-Agent in some browsers, but they cannot remove Accept-Language, which programs
 * do not send.
 */
export function hearsDetails(head: FieldLines, bytes: Uint8Array): boolean {
  let saysFetch = false;
  let navigates = false;
  let elsewhere = false;
  let browser = false;
  for (let index = 0; index < head.fieldCount; index++) {
    const id = head.idOf(index);
    if (id === Field.origin || id === Field.referer) browser = true;
    if (id === Field.secFetchMode) {
      saysFetch = true;
      navigates = head.valueOf(bytes, index) === "navigate";
      elsewhere ||= !navigates;
    } else if (id === Field.secFetchDest) {
      saysFetch = true;
      elsewhere ||= head.valueOf(bytes, index) !== "document";
    } else if (id === Field.secFetchSite) {
      saysFetch = true;
    } else if (id === Field.other && isFetchMetadata(head, bytes, index)) {
      saysFetch = true;
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
