/** An address of a PostgreSQL, and a query -> its first value, by psql, by a client of Node, and by one of Bun. */
import { resolve } from "node:path";
import { ended } from "./ended.ts";

const root = resolve(import.meta.dir, "../..");

const script = `
  import pg from "pg";
  const client = new pg.Client({ connectionString: process.env.URL });
  await client.connect();
  console.log(Object.values((await client.query(process.env.QUERY)).rows[0])[0]);
  await client.end();
`;

async function saidBy(words: readonly string[], env: Record<string, string>): Promise<string> {
  const { code, out, err } = await ended(words, {
    env: { PATH: process.env.PATH!, ...env },
    cwd: root,
  });
  if (code !== 0) throw new Error(err);
  return out.trim();
}

export const clients: Readonly<Record<string, (url: string, query: string) => Promise<string>>> = {
  psql: (url, query) => saidBy(["psql", url, "-XAtc", query], {}),
  node: (url, query) =>
    saidBy(["node", "--input-type=module", "-e", script], { URL: url, QUERY: query }),
  async bun(url, query) {
    const sql = new Bun.SQL(url, { max: 1 });
    try {
      return String((await sql.unsafe(query).values())[0][0]);
    } finally {
      await sql.close();
    }
  },
};
