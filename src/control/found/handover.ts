/**
 * A running daemon that has proved itself -> what it hands to the one that replaces it: the shells of `up`, and, where
 * both can, its listening sockets and services.
 *
 * One conversation on the daemon's socket, a line of JSON each way. The new daemon asks, the old one answers
 * (`handing-over.ts` has its states). Descriptors come with an answer of at most 4,096 bytes that says how many.
 *
 *     {"Handover":{"proof":"<nonce>.<code>","goesOn":1,"id":"<launch>"}}
 *                                    ->  {"Handover":{"proof","shells","goesOn":1, and the handshake's fields}},
 *                                        or without "goesOn" and with "error":{"code":"busy"}: not now; or "ending"
 *     {"take":"sockets"}             ->  {"sockets":[…],"descriptors":n}
 *     {"take":"services","batch":0}  ->  {"services":{…},"descriptors":n}, or {"services":null}: there is no such batch
 *     {"done":true,"services":true,"trial":{"pid":7,"version":"1.2.3"}}
 *                                    ->  {"yours":true,"trial":true}, and then lines both ways; `services`: they were
 *                                        all taken; `trial`: both know what that is
 *
 * Until `done` the old daemon serves as before, and goes on if the conversation breaks. From then on it ends what it
 * has begun, while the connection stays open for its services. On trial, where the connection ends before ten seconds
 * are over, the old daemon goes on with what the new one has left:
 *
 *     {"ping":n}, {"settled":true}   the old one asks for a sign of life; the trial is over
 *     {"pong":n}, {"failed":"why"}   the new one gives it, or its last words
 *     {"released":true}              the new one ends as it was told to, or was replaced itself: that is no failure
 */
import { closeSync } from "node:fs";
import type { Clock } from "../../system/clock.ts";
import { type DescriptorCalls, descriptorCalls } from "../../system/descriptors.ts";
import { ask } from "./client.ts";
import { DescriptorLines, type Released } from "./descriptor-lines.ts";
import { type HandedSocket, handedSockets } from "./handed-sockets.ts";
import { socketAuthority } from "./handshake.ts";
import type { Registration } from "./protocol.ts";
import { clientProof, daemonProof, newNonce, sameSecret } from "./proof.ts";

/** The request on the socket. There is no such route of the HTTP API. */
export const handoverName = "Handover";

/** The version of the conversation. Daemons that know another one hand over their shells only. */
export const conversationVersion = 1;

/** Milliseconds for an answer: the next daemon does not wait for one that hangs. */
const patience = 4_000;
/** The same where services may have to settle first, for which they have ten seconds. */
const servicesPatience = 15_000;

export type Handed = {
  kind: "handed";
  shells: unknown;
  /** Listening sockets of the old daemon. Whoever takes one of them has its descriptor; `close` closes the others. */
  sockets: HandedSocket[];
  /** The next answer about services, with descriptors that are the caller's. Undefined: the conversation is broken. */
  services(batch: number): Promise<{ value: unknown; descriptors: number[] } | undefined>;
  /** Whether the old daemon still waits for `done`. */
  isOpen(): boolean;
  /**
   * Says that everything is here and in use, services too or not, and who it is that may be put on trial. Undefined:
   * the old daemon has not heard it.
   */
  done(options: {
    services: boolean;
    trial?: { pid: number; version: string };
  }): Promise<{ onTrial: boolean } | undefined>;
  /** The connection, for whoever goes on to talk with the old daemon: its descriptor is the caller's. */
  line(): Released | undefined;
  /** Before `done`, the old daemon goes on as if nothing had been. Twice is harmless. */
  close(): void;
};

export type Inherited =
  | Handed
  /** The daemon stands down when it finds another record, and hands over no more than this; undefined: nothing. */
  | { kind: "shells"; shells: unknown }
  /** The daemon is handing over to another one, or about to be able to; or another one has answered in its place. */
  | { kind: "busy"; shells: unknown }
  /** The daemon was told to stop. */
  | { kind: "ending"; shells: unknown }
  /** The conversation broke off; the daemon may be gone, or go on. */
  | { kind: "broken"; why: string };

type Reply = { proof?: unknown; shells?: unknown; goesOn?: unknown };
type Answer = { [handoverName]?: Reply; error?: { code?: unknown } } | null | undefined;

/** A daemon that has proved the credential, by its own words or by its record. */
export type Known = { registration: Registration; credential: string };

export type HandoverOptions = {
  clock: Clock;
  /** The launch that asks. */
  id: string;
  calls?: DescriptorCalls | undefined;
};

/** Never rejects. */
export async function askHandover(
  known: Known,
  { clock, id, calls = descriptorCalls(process.platform) }: HandoverOptions,
): Promise<Inherited> {
  const { registration, credential } = known;
  const { socket } = registration;
  const nonce = newNonce();
  const proof = `${nonce}.${clientProof(credential, { nonce, authority: socketAuthority(socket) })}`;
  const isProved = (reply: Reply | undefined): reply is Reply => {
    // Another process may have put its socket there since the probe, and another daemon may listen on the same one.
    const expected = daemonProof(credential, { ...registration, nonce });
    return typeof reply?.proof === "string" && sameSecret(reply.proof, expected);
  };
  const descriptor = calls?.connect(socket);
  if (calls === undefined || descriptor === undefined) {
    const asked = await ask<Answer>(socket, { [handoverName]: { proof } }, { deadline: patience });
    const reply = asked.kind === "reply" ? asked.value?.[handoverName] : undefined;
    return { kind: "shells", shells: isProved(reply) ? reply.shells : undefined };
  }
  const lines = new DescriptorLines(descriptor, { calls, clock });
  const goesOn = conversationVersion;
  const first = await lines.ask({ [handoverName]: { proof, goesOn, id } }, patience);
  // Nobody gets to open files in this process before a proof; a daemon of ours sends none here.
  closeAll(first?.descriptors);
  if (first === undefined) return { kind: "broken", why: lines.why ?? "it does not answer" };
  const answer = first.value as Answer;
  const reply = answer?.[handoverName];
  const isItself = isProved(reply);
  if (!isItself || reply.goesOn !== conversationVersion) {
    lines.close();
    const shells = isItself ? reply.shells : undefined;
    const isAnother = reply !== undefined && !isItself;
    const code = answer?.error?.code;
    if (code === "ending" && isItself) return { kind: code, shells };
    const isBusy = code === "busy";
    return { kind: isBusy || isAnother ? "busy" : "shells", shells };
  }
  const asked = await lines.ask({ take: "sockets" }, patience);
  const sockets = handedSockets(asked?.value, asked?.descriptors ?? []);
  if (sockets === undefined) {
    closeAll(asked?.descriptors);
    const why = lines.why ?? "it answers in a way that is not understood";
    lines.close();
    return { kind: "broken", why };
  }
  return handedOver(lines, { shells: reply.shells, sockets });
}

function closeAll(descriptors: readonly number[] = []): void {
  for (const one of descriptors) closeSync(one);
}

function handedOver(
  lines: DescriptorLines,
  { shells, sockets }: Pick<Handed, "shells" | "sockets">,
): Handed {
  return {
    kind: "handed",
    shells,
    sockets,
    services: (batch) => lines.ask({ take: "services", batch }, servicesPatience),
    isOpen: () => lines.isOpen(),
    async done(told) {
      const heard = await lines.ask({ done: true, ...told }, patience);
      closeAll(heard?.descriptors);
      const { yours, trial } = (heard?.value ?? {}) as { yours?: unknown; trial?: unknown };
      return yours === true ? { onTrial: trial === true } : undefined;
    },
    line: () => lines.release(),
    close() {
      for (const { descriptor } of sockets.splice(0)) closeSync(descriptor);
      lines.close();
    },
  };
}
