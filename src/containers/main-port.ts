/** The published ports of a container, its label and its image -> the port that serves the application. Pure. */
import { storePorts } from "../routes/store-ports.ts";
import type { Container, PublishedPort } from "./container.ts";

/** Ports of servers that do not speak HTTP, as their images expose them -> what they are for a person. */
const others: ReadonlyMap<number, string> = new Map([
  ...[...storePorts].map(([port, { protocol }]) => [port, protocol] as const),
  [21, "FTP"],
  [22, "SSH"],
  [25, "SMTP"],
  [53, "DNS"],
  [110, "POP3"],
  [143, "IMAP"],
  [389, "LDAP"],
  [465, "SMTP"],
  [587, "SMTP"],
  [636, "LDAP"],
  [993, "IMAP"],
  [995, "POP3"],
  [1025, "SMTP"],
  [1521, "Oracle"],
  [2181, "ZooKeeper"],
  [2379, "etcd"],
  [2380, "etcd"],
  [33_060, "MySQL"],
  [5671, "AMQP"],
  [6380, "Redis"],
  [7000, "Cassandra"],
  [7687, "Neo4j"],
  [9093, "Kafka"],
  [9300, "Elasticsearch's nodes"],
  [26_257, "CockroachDB"],
  [28_015, "RethinkDB"],
  [50_000, "Db2"],
]);

/** Images that are a database whatever the port inside is, by a word of their name. */
const databases: readonly (readonly [RegExp, string])[] = [
  [/^(?:postgres|postgis|pgvector|timescaledb|postgresql|supabase-postgres)$/, "PostgreSQL"],
  [/^(?:mysql|mysql-server|percona|percona-server)$/, "MySQL"],
  [/^(?:mariadb|mariadb-server)$/, "MariaDB"],
  [/^(?:redis|valkey|keydb|dragonfly|redis-stack-server)$/, "Redis"],
  [/^(?:mongo|mongodb|mongodb-community-server)$/, "MongoDB"],
  [/^(?:memcached)$/, "memcached"],
];

/** Ports inside that web servers use, the likeliest first. */
const usual: readonly number[] = [
  80, 8080, 3000, 8000, 5000, 5173, 4000, 8888, 8081, 4200, 3001, 8008, 9000, 15_672, 8025, 9200,
];

/** HTTPS. The first request learns that a server speaks TLS. */
const secure: readonly number[] = [443, 8443];

/** Node's inspector and the Chrome DevTools protocol; Java's and Python's debuggers. */
const debuggers: ReadonlySet<number> = new Set([9229, 9222, 5858, 5005, 5678]);

/** The protocol of a port for a person, where that is known not to be HTTP: `PostgreSQL`. */
export function otherThanHttp({ inside }: PublishedPort, { image }: Pick<Container, "image">) {
  const known = others.get(inside);
  if (known !== undefined) return known;
  // An image of a database has no second port that speaks HTTP by a number that we know.
  if (usual.includes(inside) || secure.includes(inside)) return undefined;
  const word = imageWord(image);
  return databases.find(([pattern]) => pattern.test(word))?.[1];
}

/** `docker.io/library/postgres:16-alpine` -> `postgres`. */
export function imageWord(image: string): string {
  const path = image.replace(/@.*$/, "");
  const last = path.slice(path.lastIndexOf("/") + 1);
  return last.replace(/:.*$/, "").toLowerCase();
}

export type MainPort = {
  port: PublishedPort | undefined;
  /** A sentence about a label that names no port. */
  warning?: string;
};

/** The label decides, by the port inside or else by the one on this machine. */
export function mainPort(container: Container): MainPort {
  const { ports, labels } = container;
  const likeliest = [...ports].sort(
    (a, b) => rank(a, container) - rank(b, container) || a.inside - b.inside,
  )[0];
  if (labels.port === undefined || ports.length === 0) return { port: likeliest };
  const wanted = /^\d{1,5}$/.test(labels.port) ? Number(labels.port) : 0;
  const meant =
    ports.find(({ inside }) => inside === wanted) ?? ports.find(({ port }) => port === wanted);
  if (meant !== undefined) return { port: meant };
  const published = [...new Set(ports.map(({ inside }) => inside))].slice(0, 8).join(", ");
  return {
    port: likeliest,
    warning: `its label localhostess.port names no published port; it publishes ${published}`,
  };
}

/** The lowest is first. */
function rank(port: PublishedPort, container: Container): number {
  if (otherThanHttp(port, container) !== undefined) return 400;
  if (debuggers.has(port.inside)) return 300;
  const at = usual.indexOf(port.inside);
  if (at !== -1) return at;
  if (secure.includes(port.inside)) return 200;
  return 100;
}
