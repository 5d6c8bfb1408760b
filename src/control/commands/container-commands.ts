/** The commands about containers that run once: one in the first locald's format, and one that guards a client's. */
import * as v from "valibot";
import type { OneOffs } from "../../containers/runs/one-offs.ts";
import { type Cancel, systemClock } from "../../system/clock.ts";
import { imagePattern } from "../../text/image-name.ts";
import { type Backend, type Command, CommandError, command, type Receiver } from "./command.ts";

const image = v.pipe(
  v.string(),
  v.maxLength(512),
  v.regex(imagePattern, "expected the name of an image, such as redis:7"),
  v.description("the image, such as `alpine:3`"),
);

/** Bytes that wait for the client, above which the container waits; and milliseconds until it is looked at again. */
const enoughPending = 128 * 1024;
const lookAgain = 10;

type RunWanted = { image: string; command?: string[] | null | undefined };

function known({ oneOffs }: Backend): OneOffs {
  if (oneOffs !== undefined) return oneOffs;
  throw new CommandError("unsupported", "this daemon runs no containers");
}

export const containerCommands: readonly Command[] = [
  command({
    name: "RunContainer",
    method: "POST",
    path: "/v1/run-container",
    summary: "Runs an image once, and removes its container, also if the client leaves.",
    answer:
      'for each piece of output `{"type": "Log", "data": {timestamp, service: "container", stream, message}}`, and then `"Ok"`, or `{"Error": …}` where it could not be run or its exit code was not 0',
    input: v.strictObject({
      image,
      command: v.optional(
        v.nullable(
          v.pipe(
            v.array(v.string()),
            v.maxLength(10_000),
            v.description("the command inside; default: the image's own"),
          ),
        ),
      ),
      interactive: v.optional(
        v.pipe(
          v.boolean(),
          v.description("accepted, as it was by the first locald: the input is empty"),
        ),
      ),
      detached: v.optional(
        v.pipe(
          v.boolean(),
          v.description("only `false`: what goes on alone is a service, and stands in a file"),
        ),
      ),
    }),
    changes: true,
    streams: "lines",
    run({ detached, ...wanted }, backend) {
      const its = known(backend);
      if (detached === true) {
        const way =
          'declare it in locald.toml (type = "container"), and start it with: localhostess up';
        throw new CommandError("unsupported", `no container is run detached; ${way}`);
      }
      return (receiver: Receiver): Cancel => runOf(wanted, { oneOffs: its, receiver });
    },
  }),
  command({
    name: "GuardContainer",
    method: "POST",
    path: "/v1/guard-container",
    summary:
      "For as long as the connection stands, a client waits for a container; then it is removed.",
    answer: "`{guarded}`: the id of the run",
    input: v.strictObject({
      socket: v.pipe(
        v.string(),
        v.startsWith("/"),
        v.maxLength(4096),
        v.description("the engine's socket"),
      ),
      run: v.pipe(
        v.string(),
        v.maxLength(64),
        v.regex(/^[0-9a-f]{8,64}$/),
        v.description("the id of its run"),
      ),
    }),
    changes: true,
    streams: "both",
    run: ({ socket, run }, backend) => {
      const its = known(backend);
      return (receiver: Receiver) => {
        receiver.next({ guarded: run });
        return { hear() {}, behind: () => 0, cancel: its.guard({ socket, run }) };
      };
    },
  }),
];

function runOf(
  { image: name, command: words }: RunWanted,
  { oneOffs, receiver }: { oneOffs: OneOffs; receiver: Receiver },
): Cancel {
  let isHere = true;
  let cancelLook: Cancel | undefined;
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  const look = (): void => {
    cancelLook = undefined;
    if (receiver.pending() > enoughPending) cancelLook = systemClock.after(lookAgain, look);
    else run.resume();
  };
  const run = oneOffs.begin({
    ...{ image: name, words: words ?? [], onProgress() {} },
    onOutput(stream, bytes) {
      if (!isHere) return;
      const message = decoders[stream].decode(bytes, { stream: true });
      const timestamp = Math.floor(systemClock.wall() / 1000);
      const data = { timestamp, service: "container", stream, message };
      if (message !== "") receiver.next({ type: "Log", data });
      if (receiver.pending() <= enoughPending || cancelLook !== undefined) return;
      run.pause();
      cancelLook = systemClock.after(lookAgain, look);
    },
  });
  const leave = (): void => {
    isHere = false;
    cancelLook?.();
    run.stop();
  };
  void run.end.then((end) => {
    if (!isHere) return;
    if (end.kind === "exited" && end.code === 0) receiver.next("Ok");
    else if (end.kind === "exited") {
      receiver.next({ Error: `the container exited with code ${end.code}` });
    } else receiver.next({ Error: end.kind === "failed" ? end.why : "the daemon stops" });
    leave();
    receiver.end();
  });
  return leave;
}
