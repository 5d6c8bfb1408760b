/** A machine -> what has to be done so that names resolve for programs which do not know `*.localhost`. */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { isUnder } from "../../helper/host-names.ts";
import { writableDomains } from "../../helper/hosts-right.ts";
import { domainsFile, helperFolders, hostsHelperName, rootFolder } from "../../helper/places.ts";
import { standingOf } from "../../helper/read-hosts.ts";
import { hostsPath } from "../../system/hosts-file.ts";
import { shellWord } from "../../text/shell-words.ts";
import { exists } from "../../tls/trust/exists.ts";
import { addressesOf, elsewhereIn } from "../shared/resolver.ts";
import { knowsLocalhost } from "../shared/resolver-remedy.ts";
import type { Part, PartPlan, SetupPlace, Step } from "./plan.ts";
import { blockStep, writingStep } from "./hosts-block.ts";
import { rootProgram } from "./root-program.ts";

export const hosts: Part = {
  name: "hosts",
  purpose: "names that every program finds, in /etc/hosts: Safari, Java, Python, psql",
  // Where the resolver knows the names, there is nothing to do.
  isUsual: true,
  look,
};

const setuid = 0o4000;

/** Milliseconds. */
const patience = 2_000;

async function look(place: SetupPlace): Promise<PartPlan> {
  const { machine, uid, tlds, others } = place;
  const { root, platform } = machine;
  const standing = standingOf([], { root, uid });
  if (standing.kind === "torn" || standing.kind === "unreadable") {
    const why =
      standing.kind === "torn"
        ? `${join(root, hostsPath)} line ${standing.line}: ${standing.why}`
        : standing.why;
    return { kind: "impossible", why, fix: `sudoedit ${shellWord(join(root, hostsPath))}` };
  }
  if (platform !== "linux") return await onceWritten(place);
  const { step: program, problem } = await hostsProgram(place);
  const steps = [
    ...(program === undefined ? [] : [program]),
    domainsStep(place),
    blockStep({ root, uid, isThere: standing.kind === "behind" }),
  ];
  if (uid === 0) {
    const why = "the daemon of root writes the file itself, with hosts = true in config.toml";
    return { kind: "unneeded", why, steps };
  }
  const isNew = !others.has("hosts") && steps.every((its) => !its.isThere);
  if (isNew && tlds.length === 0 && (await systemKnows(place))) {
    const why = "the resolver of this system knows every name under localhost";
    return { kind: "unneeded", why, steps };
  }
  if (problem !== undefined) return { kind: "impossible", ...problem, steps };
  return { kind: "steps", steps, rights: ["hosts"] };
}

async function hostsProgram(place: SetupPlace) {
  const { root } = place.machine;
  const packaged = shellWord(join(root, helperFolders[0], hostsHelperName));
  // A package's mode stays over its next version only where dpkg knows of it.
  const isDpkgs = root === "/" && (await exists("/usr/bin/dpkg-statoverride"));
  const forget = `if dpkg-statoverride --list ${packaged} > /dev/null; then dpkg-statoverride --remove ${packaged}; fi`;
  const has = (word: string): boolean => isDpkgs && word === packaged;
  return await rootProgram(place, {
    name: hostsHelperName,
    purpose: `install ${hostsHelperName}, which writes this user's block in /etc/hosts`,
    undoing: `remove ${hostsHelperName}`,
    right: {
      grant: (word) =>
        has(word)
          ? `${forget}; dpkg-statoverride --update --add root root 4755 ${word}`
          : `chmod 4755 ${word}`,
      revoke: (word) => (has(word) ? `${forget}; chmod 755 ${word}` : `chmod 755 ${word}`),
      isGranted: (path) => ((lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0) & setuid) !== 0,
    },
    isShared: place.others.has("hosts"),
  });
}

/** Domains of others stay: root has allowed those too. */
function domainsStep({ machine: { root }, tlds, others }: SetupPlace): Step {
  const had = writableDomains(root);
  const path = join(root, domainsFile);
  const [folder, file, fresh] = [join(root, rootFolder), path, `${path}.new`].map(shellWord);
  const lines = ["# localhostess: domains besides localhost for names in /etc/hosts", ...had];
  const missing = tlds.filter((tld) => !had.some((its) => isUnder([its])(`x.${tld}`)));
  const text = [...lines, ...missing].map(shellWord).join(" ");
  const rests = ["hosts.lock", "hosts.before"].map((its) => shellWord(join(root, rootFolder, its)));
  const isThere = [
    path,
    ...["hosts.lock", "hosts.before"].map((its) => join(root, rootFolder, its)),
  ];
  return {
    id: "domains",
    purpose: `allow names under ${missing.join(" and ")} in /etc/hosts`,
    undoing: "remove the domains that names in /etc/hosts may be under",
    isDone: missing.length === 0,
    isThere:
      !others.has("hosts") &&
      isThere.some((its) => lstatSync(its, { throwIfNoEntry: false }) !== undefined),
    commands: [
      `install -d -m 755 -o root -g root ${folder}`,
      `printf '%s\\n' ${text} > ${fresh}`,
      `mv -f ${fresh} ${file}`,
    ],
    removal: [`rm -f ${[file, fresh, ...rests].join(" ")}`],
  };
}

/** By asking it, or else, where the files are another system's, by those. */
async function systemKnows({ machine }: SetupPlace): Promise<boolean> {
  if (machine.root !== "/") return await knowsLocalhost(machine);
  const found = await addressesOf("localhostess-setup.localhost", { deadline: patience });
  return found !== "late" && found.length > 0 && elsewhereIn(found).length === 0;
}

/** On macOS nobody writes for the daemon, so that the names of this moment are written. */
async function onceWritten({ machine: { root }, uid, names }: SetupPlace): Promise<PartPlan> {
  const wanted = await names();
  const step = writingStep({ root, uid, names: wanted });
  if (wanted.length > 0) return { kind: "steps", steps: [step], rights: [] };
  const why =
    "no service runs whose name could be written; they are written once, for those that run";
  return { kind: "unneeded", why, steps: [step] };
}
