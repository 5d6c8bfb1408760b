import { expect, test } from "bun:test";
import type { PortHolder } from "../../src/discovery/port-holder.ts";
import { portTaken, type TakenOptions } from "../../src/supervisor/service/port-words.ts";

const process = {
  pid: 17,
  startedAt: 0,
  parent: 1,
  group: 17,
  uid: 1000,
  command: "/bin/vite dev",
};
const named = { ...process, name: undefined, cwd: undefined };
const vite: PortHolder = { address: "127.0.0.1", process: named, uid: 1000 };
const hidden: PortHolder = { address: "0.0.0.0", process: undefined, uid: 0 };

function words(holders: readonly PortHolder[], changes: Partial<TakenOptions> = {}): string {
  const text = portTaken(3000, { id: "shop:web", holders, owner: undefined, self: 5, ...changes });
  return text.replace("cannot have its port 3000: ", "");
}

test("a stranger is told of by name, pid and command", () => {
  expect(words([vite])).toBe(
    "vite (pid 17) listens on it (/bin/vite dev); it starts when the port is free",
  );
  expect(words([vite, vite, vite])).toStartWith("vite (pid 17) and 2 more listen on it");
});

test("a stranger is told of with its folder, by which a person knows the project", () => {
  const process = { ...named, cwd: "/srv/docs\x1b" };
  expect(words([{ ...vite, process }])).toContain("(/bin/vite dev, in /srv/docs\\x1b);");
});

test("an address of its own is told of, the usual ones are not", () => {
  const at = (address: string) => words([{ ...vite, address }]).split(" (/bin")[0];
  for (const address of ["127.0.0.1", "0.0.0.0", "::"]) {
    expect(at(address)).toBe("vite (pid 17) listens on it");
  }
  expect(at("::1")).toBe("vite (pid 17) listens on [::1]:3000");
  expect(at("192.168.1.7")).toBe("vite (pid 17) listens on 192.168.1.7:3000");
});

test("a service of ours is told of with the command that ends it", () => {
  expect(words([vite], { owner: "blog:web" })).toBe(
    "blog:web (pid 17) listens on it (/bin/vite dev); it starts when that has ended: localhostess stop blog:web",
  );
});

test("a former process of its own is no stranger, and neither is the daemon", () => {
  expect(words([vite], { owner: "shop:web" })).toBe(
    "its own former process 17 still listens on it; it starts when the port is free",
  );
  expect(words([vite], { self: 17 })).toBe(
    "localhostess itself listens on it; give it another port",
  );
});

test("who cannot be seen is told of as far as the system tells", () => {
  expect(words([hidden])).toStartWith("a process of root listens on it, which only that user");
  expect(words([{ ...hidden, uid: 1001 }])).toStartWith("a process of the user 1001 listens");
  expect(words([{ ...hidden, uid: undefined }])).toStartWith("a process of another user listens");
  expect(words([])).toStartWith("no process that can be seen listens on it;");
});

test("a command line that was made to deceive is one short line", () => {
  const command = `\x1b[2Jevil\n${"x".repeat(10_000)} --y`;
  const text = words([{ ...vite, process: { ...named, command } }]);
  expect(text.length).toBeLessThan(400);
  expect(text).not.toMatch(/[\x00-\x1f]/);
});
