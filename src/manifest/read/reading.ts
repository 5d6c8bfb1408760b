/** The layers of a project and the readers of its parts -> what every reader in this folder is given. Pure. */
import type { Table } from "../layer.ts";
import type { WithPlans } from "../planned.ts";
import type { FreedPort } from "../project.ts";
import type { Fields } from "./fields.ts";
import type { Groups } from "./groups.ts";
import type { Mistakes } from "./mistakes.ts";
import type { ManifestOptions } from "./options.ts";
import type { Variables } from "./variables.ts";

export type Reading = {
  options: ManifestOptions;
  /** All layers merged. */
  tree: Table;
  /** `[services]` of the tree. */
  services: Table;
  groups: Groups;
  mistakes: Mistakes;
  /** Sentences about the files that do not refuse the project. */
  warnings: Mistakes;
  fields: Fields;
  variables: Variables;
  /** Ports that the files give, and the services do not have here: the reader of a service adds its own. */
  freed: FreedPort[];
  plans: WithPlans;
};
