import { afterAll, expect, test } from "bun:test";
import { chooseSource } from "../../src/discovery/source.ts";
import { FakeProc } from "./fake-proc.ts";

const proc = new FakeProc();
afterAll(() => proc.remove());

const linux = { uid: 1, root: proc.root };
const other = { uid: 1, root: "/no/such/folder" };

test("auto is procfs where there is one, and lsof elsewhere", () => {
  expect(chooseSource("auto", linux).kind).toBe("procfs");
  expect(chooseSource("auto", other).kind).toBe("lsof");
});

test("either can be asked for by name", () => {
  expect(chooseSource("procfs", linux).kind).toBe("procfs");
  expect(chooseSource("lsof", linux).kind).toBe("lsof");
});

test("procfs where there is none says what to use", () => {
  expect(() => chooseSource("procfs", other)).toThrow("use --scanner lsof");
});
