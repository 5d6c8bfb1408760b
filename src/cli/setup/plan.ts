/** The steps of `localhostess setup`: what each is for, whether it is done, and what root's shell does for it. */
import type { Right } from "../../helper/users.ts";
import type { OwnPrograms } from "./own-programs.ts";
import type { Machine } from "../../tls/trust/store.ts";

export type Step = {
  /** For programs; stable, and different for each step of all parts. */
  id: string;
  /** For people: completes "setup has to ...". */
  purpose: string;
  /** The same of the removal; without it, `undo: ` and the purpose. */
  undoing?: string;
  /** Everything is as `commands` would leave it. */
  isDone: boolean;
  /** Something is there that `removal` takes away. */
  isThere: boolean;
  /**
   * Lines for root's sh, shown as they are: `set -eu`, `umask 022`, PATH of the system's folders, nothing else in the
   * environment, working directory `/`. Values are words of text/shell-words. Each may be run twice.
   */
  commands: readonly string[];
  removal: readonly string[];
};

export type PartPlan =
  | {
      kind: "steps";
      steps: readonly Step[];
      /** Setup gives these to the user; it keeps the users file, so a part has no step for that. */
      rights: readonly Right[];
    }
  /** This system works without. `steps`: of what may be there all the same, for its removal. */
  | { kind: "unneeded"; why: string; steps?: readonly Step[] }
  | { kind: "impossible"; why: string; fix: string | null; steps?: readonly Step[] };

export type PartName = "ports" | "hosts" | "trust";

export type Part = {
  name: PartName;
  /** For people: what is there with it. */
  purpose: string;
  /** `setup` without an option for a part has it. */
  isUsual: boolean;
  /** Looks, and changes nothing. */
  look(place: SetupPlace): Promise<PartPlan>;
};

export type SetupPlace = {
  /** `root` is `/`, except in tests: every path of a command is below it. */
  machine: Machine;
  /** The user who is to have it. */
  uid: number;
  /** The version of this program, and of the two root-owned ones that come with it. */
  version: string;
  /** Where the two root-owned programs that came with this one are, or how they are built. */
  programs: OwnPrograms;
  /** The rights of other users of this machine: a part of theirs is not removed. */
  others: ReadonlySet<Right>;
  /** Domains besides `localhost` that names end in. */
  tlds: readonly string[];
  /** Where the certificate authority is. */
  stateDirectory: string;
  /** `--bare-names`, with `--trust` only. */
  bareNames: boolean;
  /** Names of services that run, for the hosts file: ascending, each once. */
  names(): Promise<readonly string[]>;
};
