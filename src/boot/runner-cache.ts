/** A path -> the package manager in whose cache of programs for one run it is: such a cache is emptied now and then. */

export type Manager = "npm" | "pnpm" | "yarn" | "bun";

/** Parts of a path, as each of them makes it. yarn's has a part of pnpm's in it, and comes first. */
const caches: readonly [manager: Manager, path: RegExp][] = [
  ["npm", /\/_npx\/[0-9a-f]+\/node_modules\//],
  ["yarn", /\/xfs-[0-9a-f]+\/dlx-\d+\//],
  ["pnpm", /\/(?:pnpm\/dlx|dlx-\d[\w-]*)\//],
  ["bun", /\/bunx-\d+-[^/]+\/node_modules\//],
];

/** Undefined: it stays. */
export function runnerOf(path: string): Manager | undefined {
  return caches.find(([, form]) => form.test(path))?.[0];
}
