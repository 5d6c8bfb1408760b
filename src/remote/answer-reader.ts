/** Lines of a session -> the answers to looks: signs of life, and the services there. Bounded. */
import {
  clockIn,
  type Found,
  foundInList,
  foundInRows,
  type Row,
  rowIn,
  type ThereClock,
} from "./found.ts";

export type Answer =
  /** Not one of ours, or a part of an answer. */
  | { kind: "more" }
  /** A look has begun there. */
  | { kind: "begun" }
  /** The localhostess there gives no list that we can read. */
  | { kind: "unreadable"; number: number }
  /** Nothing has changed since the last complete answer. */
  | { kind: "same"; number: number }
  | { kind: "found"; number: number; found: readonly Found[]; by: FoundBy }
  /** A clause: why nothing can be found there, now or later. */
  | { kind: "useless"; why: string };

/** `localhostess`: its list there. `script`: what a shell can see. */
export type FoundBy = "localhostess" | "script";

/** Octets of one answer: a list of a thousand servers has some 500 KB. */
export const longestAnswer = 2 * 1024 * 1024;

export type AnswerReader = {
  line(text: string): Answer;
};

const more: Answer = { kind: "more" };

/** Sockets of one answer; the script prints no more either. */
const mostRows = 2_000;

export function answerReader({ nonce, remote }: { nonce: string; remote: string }): AnswerReader {
  let rows: Row[] = [];
  let list: readonly Found[] | undefined;
  let isUnreadable = false;
  let clock: ThereClock | undefined;
  const begin = (): Answer => {
    rows = [];
    list = undefined;
    isUnreadable = false;
    clock = undefined;
    return { kind: "begun" };
  };
  const end = (number: number): Answer => {
    if (isUnreadable) return { kind: "unreadable", number };
    return list === undefined
      ? { kind: "found", number, found: foundInRows(rows), by: "script" }
      : { kind: "found", number, found: list, by: "localhostess" };
  };
  return {
    line(text) {
      if (!text.startsWith(`${nonce} `)) return more;
      const [, word, rest = ""] = /^(\S+) ?(.*)$/s.exec(text.slice(nonce.length + 1)) ?? [];
      const number = Number.parseInt(rest, 10);
      switch (word) {
        case "begin":
          return begin();
        case "same":
          return { kind: "same", number };
        case "clock":
          clock = clockIn(rest);
          return more;
        case "at": {
          const row = rows.length < mostRows ? rowIn(rest, { remote, clock }) : undefined;
          if (row !== undefined) rows.push(row);
          return more;
        }
        case "json":
          list = foundInList(rest.slice(rest.indexOf(" ") + 1), { remote });
          isUnreadable = list === undefined;
          return more;
        case "none":
          return {
            kind: "useless",
            why: "it has neither /proc nor lsof, so that nothing there tells which servers run",
          };
        case "end":
          return end(number);
        default:
          return more;
      }
    },
  };
}
