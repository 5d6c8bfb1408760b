/** The commands about the daemon itself: its facts, its page, its certificate authority, its end. */
import * as v from "valibot";
import { jsonForm } from "../../routes/json-form.ts";
import { shutdownPath } from "../found/protocol.ts";
import { type Command, CommandError, command, nothing, ok } from "./command.ts";
import { daemonOf } from "./reports.ts";

export const daemonCommands: readonly Command[] = [
  command({
    name: "Ping",
    method: "GET",
    path: "/v1/ping",
    summary: "Answers if the daemon is running.",
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
    summary: "The daemon's version, which may differ from the client's.",
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
    summary: "The daemon's identity, addresses, memory and connections.",
    answer:
      "the registration, and `addresses`, `state_directory`, `log` (null: a terminal), `uptime` in milliseconds, `memory` in bytes, `connections`",
    input: nothing,
    changes: false,
    streams: false,
    run: (_, backend) => jsonForm(daemonOf(backend)),
  }),
  command({
    name: "Dashboard",
    method: "POST",
    path: "/v1/dashboard",
    summary: "A URL that opens the page in one browser: once, within 60 seconds.",
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
    name: "ConnectPage",
    method: "POST",
    path: "/v1/connect-page",
    summary:
      "A URL that opens a web page of an allowed origin with a token, which the page exchanges for the credential: once, within 60 seconds.",
    answer: "`{url, origin}`; see [A web page of your own](#a-web-page-of-your-own)",
    input: v.strictObject({
      url: v.pipe(
        v.string(),
        v.maxLength(2000),
        v.description("the page; its origin has to be in `allowed_origins`"),
      ),
    }),
    changes: true,
    streams: false,
    run({ url }, { connectPage }) {
      if (connectPage === undefined) {
        throw new CommandError("unsupported", "this daemon has no HTTP API for a page");
      }
      return connectPage(url);
    },
  }),
  command({
    name: "Trust",
    method: "POST",
    path: "/v1/trust",
    summary:
      "Reports, installs, renews or removes the certificate authority in this machine's trust stores.",
    answer: "an array of rows, as in `trust --json`",
    input: v.strictObject({
      action: v.pipe(
        v.picklist(["status", "install", "renew", "remove"]),
        v.description("what to do"),
      ),
      bare_names: v.optional(
        v.pipe(
          v.boolean(),
          v.description(
            "also the certificate authority for bare names, as with `trust --bare-names`",
          ),
        ),
      ),
    }),
    changes: true,
    streams: false,
    run(input, { trust }) {
      if (trust === undefined) {
        throw new CommandError(
          "unsupported",
          "this daemon does not change trust stores; run: localhostess trust",
        );
      }
      return trust(input);
    },
  }),
  command({
    name: "Shutdown",
    method: "POST",
    path: shutdownPath,
    summary: "Stops the daemon, after exchanges under way have ended.",
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
