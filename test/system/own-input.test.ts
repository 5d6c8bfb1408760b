/** A program that reads what is piped into it, as slowly as it likes. */
import { expect, test } from "bun:test";

const module = JSON.stringify(new URL("../../src/system/own-input.ts", import.meta.url).pathname);

/** Takes a piece at a time, and says how many bytes there were. */
const slow = `const { ownInput } = await import(${module});
let count = 0;
let isFull = false;
const input = ownInput({
  onBytes(bytes) {
    if (isFull) console.log("not yet");
    isFull = true;
    count += bytes.length;
    setImmediate(() => {
      isFull = false;
      input.goOn();
    });
    return false;
  },
  onEnd: () => console.log(count),
});`;

/** Written at once, so that its end is there before the last bytes are taken. */
async function saidWith(script: string, bytes: Uint8Array): Promise<string> {
  const child = Bun.spawn([process.execPath, "-e", script], {
    ...{ stdin: "pipe", stdout: "pipe", stderr: "inherit", detached: true },
  });
  child.stdin.write(bytes);
  await child.stdin.end();
  return await child.stdout.text();
}

/** Has enough after the first bytes. */
const early = `const { ownInput } = await import(${module});
const input = ownInput({
  onBytes() {
    console.log("enough");
    queueMicrotask(() => input.stop());
    return false;
  },
  onEnd: () => console.log("the end"),
});`;

test("whoever takes piece by piece gets all of it, and then the end", async () => {
  const all = [50_000, 50_000, 50_000, 1_000_000].map(async (length) => {
    expect(await saidWith(slow, Buffer.alloc(length))).toBe(`${length}\n`);
  });
  await Promise.all(all);
});

test("whoever has enough is not kept by what still comes, and hears of no end", async () => {
  const child = Bun.spawn([process.execPath, "-e", early], { stdin: "pipe", stdout: "pipe" });
  child.stdin.write("first\n");
  await child.stdin.flush();
  expect(await new Response(child.stdout).text()).toBe("enough\n");
  expect(await child.exited).toBe(0);
  child.stdin.end();
});

test("an input that cannot be read has ended", async () => {
  const child = Bun.spawn(["sh", "-c", '"$0" -e "$1" </', process.execPath, slow], {
    ...{ stdin: "ignore", stdout: "pipe", stderr: "inherit", detached: true },
  });
  expect(await child.stdout.text()).toBe("0\n");
});
