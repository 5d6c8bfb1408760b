/** A request for a service of the supervisor that cannot answer now -> a wait, or an answer that says why. */
import type { Decision } from "../../routes/decide.ts";
import { linesShown } from "../../routes/state-sentence.ts";
import type { Supervised } from "../../routes/supervised.ts";
import type { RouteTable } from "../../routes/table.ts";
import { headLimit } from "../../wire/head.ts";
import type { Reply } from "../pages/reply.ts";
import { type Absence, absentPage } from "../pages/supervised-page.ts";
import { isListed, isStrangers } from "../request/is-strangers.ts";
import { isPageLoad } from "../request/page-load.ts";
import type { RequestRecord } from "../request/record.ts";
import type { Waiting, WaitingFacts } from "../request/waiting.ts";
import { heldBodyLimit, onAbsence } from "../request/waits.ts";
import type { Exchange } from "../upstream/exchange.ts";
import type { Client, Read, ServingShared } from "./client.ts";
import type { CurrentDestination } from "./current-destination.ts";
import type { OwnAnswers } from "./own-answers.ts";
import { Turn } from "./states.ts";

export type Absent = Extract<Decision, { kind: "absent" }>;

/** The requests of the client, one of which is for a service that is absent. */
export interface AbsencesOwner {
  /** The wait of the current request; undefined: it has not waited. */
  readonly waiting: Waiting | undefined;
  wait(facts: WaitingFacts): Waiting;
  waitForLook(): Read;
  reply(reply: Reply, end: number): Read;
  markShown(said: Decision): string | undefined;
}

export type AbsencesFacts = {
  shared: ServingShared;
  exchange: Exchange;
  current: CurrentDestination;
  /** Undefined: nothing is recorded. */
  record: RequestRecord | undefined;
  answers: OwnAnswers;
};

export class Absences {
  #client!: Client;
  readonly #owner: AbsencesOwner;
  readonly #shared: ServingShared;
  readonly #exchange: Exchange;
  readonly #current: CurrentDestination;
  readonly #record: RequestRecord | undefined;
  readonly #answers: OwnAnswers;

  constructor(owner: AbsencesOwner, { shared, exchange, current, record, answers }: AbsencesFacts) {
    this.#owner = owner;
    this.#shared = shared;
    this.#exchange = exchange;
    this.#current = current;
    this.#record = record;
    this.#answers = answers;
  }

  /** Serves another client from here on. */
  attach(client: Client): void {
    this.#client = client;
  }

  /** Handles the current request, whose service is absent. */
  attend(bytes: Uint8Array, end: number, { supervised, turn }: Absent): Read {
    this.#record?.routed(supervised.routeName!);
    const { framing } = this.#exchange;
    const { kind, wakes } = onAbsence({
      turn,
      looked: this.#owner.waiting?.looked ?? false,
      ended: this.#owner.waiting?.hasEnded(supervised) ?? false,
      stranger: turn === "wake" && this.#isStrangers(),
      pageLoad: !framing.head && isPageLoad(this.#exchange.requestHead, bytes, framing),
      large: this.isLarge,
    });
    if (wakes) this.#wake(supervised);
    switch (kind) {
      case "look":
        return this.#owner.waitForLook();
      case "wait":
        return this.waitForService(supervised, {
          end,
          table: this.#current.destination!.table,
          woken: wakes,
        });
      case "soon":
        // The service is being woken, whatever its state was when this was decided.
        return this.#tell(
          wakes ? { ...supervised, state: "starting" } : supervised,
          { kind },
          { end },
        );
      case "too large":
        return this.tellTooLarge(supervised, end);
      default:
        return this.#tell(supervised, { kind }, { end });
    }
  }

  /** The request's body is longer than may be held. */
  get isLarge(): boolean {
    return (
      this.#exchange.framing.bodyLength > heldBodyLimit || this.#owner.waiting?.overfull === true
    );
  }

  tellTooLarge(supervised: Supervised, end: number): Read {
    return this.#tell(supervised, { kind: "too-large", limit: heldBodyLimit }, { end });
  }

  /** Handles an absent service for a request that was sent, and may be sent again. */
  attendSent({ supervised, turn }: Absent, table: RouteTable): void {
    const { kind, wakes } = onAbsence({
      turn,
      looked: true,
      ended: this.#owner.waiting!.hasEnded(supervised),
      stranger: turn === "wake" && this.#isStrangers(),
      pageLoad: false,
      large: false,
    });
    if (wakes) this.#wake(supervised);
    if (kind === "wait") this.awaitReturn(supervised, { table, woken: wakes });
    else if (kind === "strangers") this.#tell(supervised, { kind }, { end: undefined });
    else this.#tell(supervised, { kind: "down" }, { end: undefined });
  }

  /** Lets a request wait whose bytes are held and read again. */
  waitForService(
    supervised: Supervised,
    { end, table, woken }: { end: number; table: RouteTable | undefined; woken: boolean },
  ): Read {
    const { bodyLength } = this.#exchange.framing;
    const endless = bodyLength < 0;
    const octets =
      end - this.#exchange.requestHead.start + (endless ? heldBodyLimit : bodyLength) + headLimit;
    const waiting = this.#owner.wait({ bytes: "held" });
    if (waiting.service(supervised, { woken, table, room: { octets, endless } })) return "waits";
    return this.#tell(supervised, { kind: "waited", seconds: waiting.limit }, { end });
  }

  /** Lets a request wait that was sent to a service which ended without sending a byte. */
  awaitReturn(
    supervised: Supervised,
    { table, woken }: { table: RouteTable | undefined; woken: boolean },
  ): void {
    const waiting = this.#owner.waiting!;
    this.#client.move(Turn.wait);
    if (waiting.service(supervised, { woken, table })) {
      this.#client.regulate();
      return;
    }
    this.#tell(supervised, { kind: "waited", seconds: waiting.limit }, { end: undefined });
  }

  #isStrangers(): boolean {
    const asked = this.#answers.current();
    if (asked === undefined) return true;
    const { head, bytes } = asked;
    if (isListed(head, bytes, this.#current.destination!.settings)) return false;
    return isStrangers(head, bytes, this.#shared.routes());
  }

  /** Wakes the service once per request, so that a service that ends at once is not started over and over. */
  #wake({ id }: Supervised): void {
    if (!this.#owner.waiting?.woken) this.#shared.supervision?.wake(id);
  }

  /**
   * Answers with the reason why the service cannot. `end`: the end of the head, if its bytes are at hand; otherwise the
   * connection ends.
   */
  #tell(supervised: Supervised, absence: Absence, { end }: { end: number | undefined }): Read {
    const lines = this.#shared.supervision?.latest(supervised.id, linesShown) ?? [];
    const turn = absence.kind === "down" ? "down" : "wait";
    const mark = this.#owner.markShown({ kind: "absent", supervised, turn });
    const { decision } = this.#current.destination!;
    const chosen = "chosen" in decision ? decision.chosen : undefined;
    const reader = this.#answers.reader();
    const reply = absentPage({ supervised, absence, lines, mark, chosen, ...reader });
    return end === undefined ? this.#answers.lastWords(reply) : this.#owner.reply(reply, end);
  }
}
