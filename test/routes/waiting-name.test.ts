import { expect, test } from "bun:test";
import {
  type WaitingName,
  waitingFor,
  waitingRemedy,
  waitingText,
} from "../../src/routes/waiting-name.ts";

const db: WaitingName = {
  name: "db",
  source: "given",
  because: "localhostess name gives it to port 5432",
  kind: "waits",
  why: "nothing listens on port 5432",
};
const shop: WaitingName = { ...db, name: "db.shop", kind: "shadowed" };

test("a request is for the name, or for its longest ending", () => {
  const find = (name: string) => waitingFor(name, [db, shop])?.name;
  expect(["db", "x.db", "db.shop", "x.db.shop", "xdb", "shop", ""].map(find)).toEqual([
    "db",
    "db",
    "db.shop",
    "db.shop",
    undefined,
    undefined,
    undefined,
  ]);
});

test("a name that waits is told with its place, and with what helps", () => {
  expect(waitingText(db)).toBe(
    "localhostess name gives it to port 5432, and nothing listens on port 5432",
  );
  expect(waitingRemedy(db)).toBe("start the server there, and it has the name");
  expect(waitingRemedy(shop)).toBe("for all names that were given: localhostess name");
});
