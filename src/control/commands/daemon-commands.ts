/** The commands about the daemon itself: who it is, its page, its certificate authority, its end. */
import * as v from "valibot";
import { shutdownPath } from "../found/protocol.ts";
import { type Command, CommandError, command, nothing, ok } from "./command.ts";
import { daemonOf } from "./reports.ts";

export const daemonCommands: readonly Command[] = [
  command({
    name: "Ping",
    method: "GET",
    path: "/v1/ping",
    summary: "Whether anybody is there.",
    answer: '`{"pong":true}`; by IPC `"Pong"`',
    input: nothing,
    changes: false,
    streams: false,
    run: () => ({ pong: true }),
    reply: () => "Pong",
  }),
  command({
    name: "GetVersion",
    method: "GET",
    path: "/v1/version",
    summary: "The version of the daemon, which need not be that of the client.",
    answer: '`{"version"}`; by IPC `{"Version":"0.1.0"}`',
    input: nothing,
    changes: false,
    streams: false,
    run: (_, { facts }) => ({ version: facts().version }),
    reply: ({ version }: { version: string }) => ({ Version: version }),
  }),
  command({
    name: "Daemon",
    method: "GET",
    path: "/v1/daemon",
    summary: "Who the daemon is, where it is, and how it fares.",
    answer:
      "its registration, and `addresses`, `stateDirectory`, `log` (null: a terminal), `uptime` in milliseconds, `memory` in bytes, `connections`",
    input: nothing,
    changes: false,
    streams: false,
    run: (_, backend) => daemonOf(backend),
  }),
  command({
    name: "Dashboard",
    method: "POST",
    path: "/v1/dashboard",
    summary: "A URL that opens the page in one browser, once, within 60 seconds.",
    answer: "`{url}`",
    input: nothing,
    changes: true,
    streams: false,
    run(_, { dashboard }) {
      if (dashboard === undefined) throw new CommandError("unsupported", "there is no page here");
      return { url: dashboard() };
    },
  }),
  command({
    name: "Trust",
    method: "POST",
    path: "/v1/trust",
    summary:
      "Our authority in this machine's trust stores: how it stands there, put there, taken out.",
    answer: "an array of rows as of `trust --json`",
    input: v.strictObject({
      action: v.pipe(
        v.picklist(["status", "install", "renew", "remove"]),
        v.description("what to do"),
      ),
      bare_names: v.optional(
        v.pipe(v.boolean(), v.description("the second authority too, as of `trust --bare-names`")),
      ),
    }),
    changes: true,
    streams: false,
    run(input, { trust }) {
      if (trust === undefined) {
        throw new CommandError(
          "unsupported",
          "trust stores are not changed from here; run: localhostess trust",
        );
      }
      return trust(input);
    },
  }),
  command({
    name: "Shutdown",
    method: "POST",
    path: shutdownPath,
    summary: "Ends the daemon: exchanges under way end first.",
    answer: '`{"ok":true}`; by IPC `"Ok"`',
    input: nothing,
    changes: true,
    streams: false,
    run(_, { shutdown }) {
      shutdown();
      return ok;
    },
    reply: () => "Ok",
  }),
];
