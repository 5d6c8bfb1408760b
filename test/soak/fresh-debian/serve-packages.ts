/** Folder of a release -> a registry with its packages of npm, until its input ends. Prints its address. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { npmRegistry } from "../../support/npm-registry.ts";

const folder = process.argv[2]!;
const names = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
await using registry = await npmRegistry(names.map((name) => join(folder, name)));
console.log(registry.url);
for await (const _ of Bun.stdin.stream());
