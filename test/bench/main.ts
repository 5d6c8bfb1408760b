/** The command line into one run: everything that is installed beside us, measured in turn, as a table or as JSON. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startBackend } from "./start-backend.ts";
import { type Crew, crew, installed } from "./crew.ts";
import { measureListing } from "./listing.ts";
import { measureMemory } from "./memory.ts";
import { startOurs } from "./ours.ts";
import { measureNewNames } from "./new-names.ts";
import { type Absent, type Backend, missing, type Peer, type StartPeer } from "./peer.ts";
import { startCaddy } from "./peers/caddy.ts";
import { startHaproxy } from "./peers/haproxy.ts";
import { startNginx } from "./peers/nginx.ts";
import { startPortless } from "./peers/portless.ts";
import {
  measureH2,
  measureHandshakes,
  measureKeepAlive,
  measurePerRequest,
  measureSecureKeepAlive,
} from "./rates.ts";
import { measureScan } from "./scan-rows.ts";
import { type Measured, reached, tableText } from "./table.ts";
import { measureDownload, measureUpload } from "./transfers.ts";
import { measurePart, type Part } from "./with-and-without.ts";

const usage = `bun run bench [--quick] [--json] [--no-pin] [--only <label>]...
labels: keep-alive, per-request, tls, h2, handshakes, new-name, download, upload, recording, owners, guard, memory, ls, scan`;

type Proxies = { backend: Backend; ours: Peer; theirs: Peer[]; absent: Absent[] };

/** `secured`: of the proxies those alone that are measured by TLS. */
type Turn = {
  crew: Crew;
  quick: boolean;
  backend: () => Promise<Backend>;
  proxies: () => Promise<Proxies>;
  secured: () => Promise<Proxies>;
};

const sampling = ({ quick }: Turn) => ({ rounds: quick ? 2 : 5, seconds: quick ? 1 : 3 });
const rateTurn = async (turn: Turn) => ({ ...(await turn.proxies()), ...sampling(turn) });
const secureTurn = async (turn: Turn) => ({ ...(await turn.secured()), ...sampling(turn) });
const transferTurn = async ({ quick, proxies }: Turn) => {
  const { backend, ours, theirs } = await proxies();
  // Only to show what a proxy can reach: the target is against none at all.
  const fast = theirs.filter(({ name }) => name === "nginx" || name === "HAProxy");
  return { backend, ours, theirs: fast, rounds: quick ? 2 : 5 };
};

const partTurn = async (part: Part, { crew, quick, backend }: Turn) =>
  measurePart(crew, part, {
    backend: await backend(),
    rounds: quick ? 3 : 9,
    seconds: quick ? 1 : 2,
  });

/** What needs no running proxies goes first. */
const measures: Record<string, (turn: Turn) => Promise<Measured>> = {
  memory: ({ crew }) => measureMemory(crew),
  scan: () => measureScan(),
  ls: ({ crew, quick }) => measureListing(crew, { runs: quick ? 10 : 30 }),
  "keep-alive": async (turn) => measureKeepAlive(turn.crew, await rateTurn(turn)),
  "per-request": async (turn) => measurePerRequest(turn.crew, await rateTurn(turn)),
  tls: async (turn) =>
    lacking("h2load", "nghttp2-client") ??
    measureSecureKeepAlive(turn.crew, await secureTurn(turn)),
  h2: async (turn) =>
    lacking("h2load", "nghttp2-client") ?? measureH2(turn.crew, await secureTurn(turn)),
  handshakes: async (turn) =>
    lacking("ab", "apache2-utils") ?? measureHandshakes(turn.crew, await secureTurn(turn)),
  "new-name": async (turn) =>
    measureNewNames(await turn.secured(), { names: turn.quick ? 11 : 51 }),
  download: async (turn) => measureDownload(await transferTurn(turn)),
  recording: (turn) => partTurn("recording", turn),
  owners: (turn) => partTurn("owners", turn),
  guard: (turn) => partTurn("guard", turn),
  upload: async (turn) => measureUpload(turn.crew, await transferTurn(turn)),
};

/** What a measure finds that cannot be taken. */
function lacking(program: string, debianPackage: string): Measured | undefined {
  if (installed(program) !== undefined) return undefined;
  const { name, absent } = missing(program, debianPackage);
  return { rows: [], notes: [`${name} skipped: ${absent}`] };
}

const secured = [startOurs, startNginx];
const all = [...secured, startHaproxy, startCaddy, startPortless];

/** What it is asked for, started one after another and each only once. */
function starter(crew: Crew): (wanted: readonly StartPeer[]) => Promise<Proxies> {
  let backend: Promise<Backend> | undefined;
  const started = new Map<StartPeer, Promise<Peer | Absent>>();
  return async (wanted) => {
    backend ??= startBackend(crew);
    const found: (Peer | Absent)[] = [];
    for (const start of wanted) {
      const peer = started.get(start) ?? start(crew, await backend);
      started.set(start, peer);
      found.push(await peer);
    }
    return sorted(found, await backend);
  };
}

function sorted(found: readonly (Peer | Absent)[], backend: Backend): Proxies {
  const [ours, ...theirs] = found.filter((peer): peer is Peer => "pid" in peer);
  return { backend, ours: ours!, theirs, absent: found.filter((peer) => "absent" in peer) };
}

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      pin: { type: "boolean", default: true },
      only: { type: "string", multiple: true },
      help: { type: "boolean", default: false },
    },
    allowNegative: true,
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const labels = values.only ?? Object.keys(measures);
  const unknown = labels.filter((label) => measures[label] === undefined);
  if (unknown.length > 0) {
    console.error(`no measure "${unknown.join('", "')}"\n${usage}`);
    return 2;
  }
  for (const program of ["wrk", "curl"]) {
    if (installed(program) === undefined) {
      console.error(`the bench needs ${program}: apt-get install wrk curl nginx haproxy caddy`);
      return 1;
    }
  }

  const dir = mkdtempSync(join(tmpdir(), "localhostess-bench-"));
  const team = crew(dir, { pin: values.pin });
  const leave = async () => {
    await team.end();
    rmSync(dir, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => leave().finally(() => process.exit(130)));
  }
  try {
    const start = starter(team);
    const absent = new Map<string, string>();
    const starting = async (wanted: readonly StartPeer[]): Promise<Proxies> => {
      const proxies = await start(wanted);
      for (const peer of proxies.absent) absent.set(peer.name, peer.absent);
      return proxies;
    };
    const turn: Turn = {
      crew: team,
      quick: values.quick,
      backend: async () => (await start([])).backend,
      proxies: () => starting(all),
      secured: () => starting(secured),
    };
    const found: Measured = { rows: [], notes: [] };
    found.notes.push(
      team.pinned
        ? "CPUs: each proxy on CPU 0; wrk, h2load, ab and the backend on CPU 1; curl where it likes"
        : "CPUs: no program has a CPU of its own",
    );
    for (const label of Object.keys(measures).filter((label) => labels.includes(label))) {
      if (!values.json) console.error(`measuring ${label} ...`);
      const { rows, notes } = await measures[label]!(turn);
      found.rows.push(...rows);
      found.notes.push(...notes);
    }
    for (const [name, why] of absent) found.notes.push(`${name} skipped: ${why}`);
    if (values.json) {
      const rows = found.rows.map((row) => ({ ...row, reached: reached(row) }));
      console.log(JSON.stringify({ quick: values.quick, rows, notes: found.notes }, null, 2));
    } else {
      console.log(`\n${tableText(found.rows)}\n\n${found.notes.join("\n")}`);
    }
    return 0;
  } finally {
    await leave();
  }
}

process.exit(await run());
