/** The order of a store -> its installed server in the place of this process, or else a container with it. */
import { existsSync } from "node:fs";
import type { Order } from "../manifest/order.ts";
import type { ContainerSpec, StoreSpec } from "../manifest/types/own.ts";
import { findProgram } from "../stores/servers/find-program.ts";
import { preparedData } from "../stores/servers/prepared-data.ts";
import type { ProgramFacts, StoreFacts, StoreServer } from "../stores/servers/server.ts";
import { storeServers } from "../stores/servers/servers.ts";
import { writeAtomically } from "../system/atomic-file.ts";
import { execInPlace } from "../system/exec-in-place.ts";
import { readPrivateFile } from "../system/private-file.ts";
import { shellWord } from "../text/shell-words.ts";
import type { Running } from "./running.ts";
import { statusTeller } from "./status-teller.ts";

/** Resolves with an exit code, unless the server takes the place of this process. */
export async function runStore(running: Running): Promise<number> {
  const { order, env } = running;
  const spec = order.own as StoreSpec;
  const server = storeServers[spec.store];
  const facts = factsOf(running, spec);
  let lacking = `${server.title} is to run in a container`;
  if (spec.from !== "container" && !(spec.from === undefined && spec.image !== undefined)) {
    const program = await findProgram(server, { version: spec.version, env });
    if (program.kind === "found") {
      const isRoot = process.geteuid?.() === 0;
      return await start(server, { ...facts, program, env, isRoot }, running);
    }
    if (spec.from === "program") return running.cannot(program.why);
    lacking = program.why;
  }
  // The engine's reason has to say why an engine was asked for.
  const cannot: Running["cannot"] = (why, options) =>
    running.cannot(`${lacking}, and ${why}`, options);
  // A program that was installed then may be gone now.
  if (existsSync(facts.place.data)) {
    running.say(
      `the data in ${facts.place.data} is an installed program's: the container has its own`,
    );
  }
  const { spec: its, words, env: inside } = server.inContainer(facts);
  // Most stores run from a program, which has no use for all that.
  const { runContainer } = await import("./run-container.ts");
  return await runContainer({
    ...running,
    cannot,
    // Passwords are in its environment, which nobody else can read, and are given to the engine from there.
    env: { ...env, ...inside },
    order: {
      ...order,
      own: containerSpec(its, order),
      command: words.map(shellWord).join(" "),
      variables: [...order.variables, ...Object.keys(inside)],
    },
  });
}

/** Characters that mean nothing in SQL, in a line of a configuration or in a URL. */
const plain = /^[\w.~-]+$/;

function factsOf(running: Running, spec: StoreSpec): StoreFacts {
  const { place, port, ports } = running.order;
  if (place === undefined || port === undefined) throw new Error("a store has a place and a port");
  // The daemon has made it.
  const read = readPrivateFile(place.password, { limit: 1000, forbidden: 0o077 });
  const password = read.kind === "text" ? read.text.trim() : "";
  if (plain.test(password)) return { spec, place, port, ports, password };
  const form = "letters, digits, dots, hyphens, tildes and underscores";
  return running.cannot(`${place.password} has no password that can be used: it may have ${form}`);
}

/** Prepares it and becomes it. */
async function start(server: StoreServer, facts: ProgramFacts, running: Running): Promise<number> {
  const { place, program, env } = facts;
  try {
    const teller = statusTeller(running.notify);
    await preparedData(server, facts, () => teller.tell(`making the data of ${server.title}`));
    teller.end();
    const { words, env: own, files } = server.start(facts);
    for (const [path, text] of Object.entries(files)) await writeAtomically(path, text);
    running.say(`${server.title} ${program.version} (${program.path}), its data is ${place.data}`);
    const its = { words: [program.path, ...words] as const, env: { ...env, ...own } };
    const why = execInPlace({ ...its, workdir: place.data });
    return running.cannot(why);
  } catch (error) {
    // A full disk may have room at the next try.
    return running.cannot(sentenceOf(error as Error), { passing: true });
  }
}

function sentenceOf(error: Error & { code?: string; path?: string }): string {
  if (error.code === "ENOSPC") return `there is no room left on the disk for ${error.path}`;
  return error.message;
}

/** The data is in a volume of the project and its checkout; another version has another one, as it has in a folder. */
function containerSpec(
  { image, entrypoint, ports, inside, data }: ReturnType<StoreServer["inContainer"]>["spec"],
  { service, own }: Order,
): ContainerSpec {
  const { store, version } = own as StoreSpec;
  const source = [service, store, ...(version === undefined ? [] : [version])].join("-");
  return {
    ...{ kind: "container", image, build: undefined, entrypoint, ports, inside },
    ...{ user: undefined, workdir: undefined, stopSignal: undefined, pull: "missing" },
    volumes: [{ source, kind: "named", target: data, readOnly: false }],
  };
}
