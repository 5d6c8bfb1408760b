/** A store's port -> whether it serves, by an answer in its own protocol. */
import { dial } from "../../link/dial.ts";
import type { Link, LinkHandler } from "../../link/link.ts";
import type { StoreName } from "../../manifest/types/own.ts";
import { mongoQuestion } from "../../wire/mongo-message.ts";
import { mysqlQuestion } from "../../wire/mysql-greeting.ts";
import { postgresQuestion } from "../../wire/postgres.ts";
import { redisQuestion } from "../../wire/redis-ping.ts";
import type { StoreQuestion } from "../../wire/store-answer.ts";
import { type Health, ill } from "./health.ts";

/** How each store is asked; undefined: that it takes a connection is enough. */
const questions: Readonly<Record<"postgres" | StoreName, StoreQuestion | undefined>> = {
  postgres: postgresQuestion,
  redis: redisQuestion,
  valkey: redisQuestion,
  mysql: mysqlQuestion,
  mariadb: mysqlQuestion,
  mongodb: mongoQuestion,
  // These two speak HTTP, and are asked by it.
  minio: undefined,
  mailpit: undefined,
};

/** Bytes within which an answer has to be complete. */
const enough = 64 * 1024;

export type StoreAsking = {
  store: "postgres" | StoreName;
  settle(health: Health): void;
};

/** @returns how to give it up. */
export function askStore(port: number, { store, settle }: StoreAsking): () => void {
  const question = questions[store];
  let link: Link | undefined;
  const cancel = dial(
    { address: "127.0.0.1", port },
    {
      connected(made) {
        link = made;
        if (question === undefined) settle({ kind: "well" });
        else if (question.hello !== undefined) made.write(question.hello, 0, question.hello.length);
      },
      failed: () => settle(ill(`nothing listens on port ${port}`)),
    },
    reader(question, settle),
  );
  return () => {
    cancel();
    // Not by a reset: servers write those into their logs.
    link?.close();
  };
}

function reader(
  question: StoreQuestion | undefined,
  settle: (health: Health) => void,
): LinkHandler {
  let bytes = new Uint8Array();
  return {
    data(piece) {
      if (question === undefined) return;
      const joined = new Uint8Array(bytes.length + piece.length);
      joined.set(bytes);
      joined.set(piece, bytes.length);
      bytes = joined;
      const read = question.answer(bytes);
      if (read.kind === "bad") settle(ill(read.why));
      else if (read.kind === "more") {
        if (bytes.length > enough) settle(ill("its answer does not end"));
      } else if (read.value.kind === "serves") settle({ kind: "well" });
      else settle(ill(read.value.why));
    },
    drained() {},
    ended: () => settle(ill("it closed the connection without an answer")),
    closed: () => settle(ill("it broke off the connection without an answer")),
    failed(fault) {
      throw fault;
    },
  };
}
