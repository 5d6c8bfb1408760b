/** Logs since a time: only one that there is. */
import { expect, test } from "bun:test";
import { commandNamed } from "../../src/control/commands/commands.ts";
import { perform } from "../../src/control/commands/perform.ts";
import { fakeBackend } from "../support/fake-backend.ts";

test.each(["yesterday", "2026-13-45T12:00:00Z", "2026-05-04", "5", ""])(
  "a time that is none is an error: %p",
  async (since) => {
    const asked = perform(commandNamed("Logs"), { sent: { since }, backend: fakeBackend() });
    await expect(asked).rejects.toMatchObject({ code: "bad_request" });
  },
);

test.each(["2026-05-04T12:00:00.000Z", "2026-05-04T12:00:00Z", "2026-05-04T12:00:00+02:00"])(
  "a time is taken: %p",
  async (since) => {
    const sent = { sent: { since }, backend: fakeBackend() };
    expect(await perform(commandNamed("Logs"), sent)).toBeFunction();
  },
);
