/** Data of stores is made in one step. */
import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { preparedData } from "../../src/stores/servers/prepared-data.ts";
import type { ProgramFacts } from "../../src/stores/servers/server.ts";

async function inPlace(use: (facts: ProgramFacts, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "localhostess-data-"));
  const place = {
    folder,
    ...{ data: join(folder, "data"), sockets: join(folder, "s"), password: join(folder, "p") },
  };
  try {
    await use({ place } as ProgramFacts, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const nobody = (): void => {};

test("a preparation that failed, or was cut off, begins again with an empty folder", () =>
  inPlace(async (facts, folder) => {
    const found: string[][] = [];
    const failing = {
      async prepare(its: string) {
        found.push(readdirSync(its));
        writeFileSync(join(its, `try-${found.length}`), "");
        if (found.length === 1) throw new Error("there is no room");
      },
    };
    await expect(preparedData(failing, facts, nobody)).rejects.toThrow("there is no room");
    expect(readdirSync(folder).sort()).toEqual(["data.unfinished", "s"]);
    await preparedData(failing, facts, nobody);
    expect(found).toEqual([[], []]);
    expect(readdirSync(join(folder, "data"))).toEqual(["try-2"]);
    expect(statSync(join(folder, "data")).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).sort()).toEqual(["data", "s"]);
  }));

test("data that is there is left as it is", () =>
  inPlace(async (facts, folder) => {
    let tries = 0;
    const server = { prepare: async () => void tries++ };
    await preparedData(server, facts, nobody);
    writeFileSync(join(folder, "data/row"), "1");
    await preparedData(server, facts, nobody);
    expect([tries, readdirSync(join(folder, "data"))]).toEqual([1, ["row"]]);
  }));

test("a server that makes its data itself is given an empty folder, and nothing is told of it", () =>
  inPlace(async (facts, folder) => {
    let told = 0;
    await preparedData({}, facts, () => void told++);
    expect([told, readdirSync(join(folder, "data"))]).toEqual([0, []]);
  }));
