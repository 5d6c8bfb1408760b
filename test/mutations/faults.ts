/** The tables of faults, one for each part of the tree -> all of them. */
import { between } from "./between.ts";
import { buildpacks } from "./buildpacks.ts";
import { builds } from "./builds.ts";
import { choosing } from "./choices.ts";
import { composeFiles } from "./compose.ts";
import { containerRuns } from "./container-runs.ts";
import { containers } from "./containers.ts";
import { control } from "./control.ts";
import { daemon } from "./daemon.ts";
import { databases } from "./databases.ts";
import { doors } from "./doors.ts";
import type { Fault } from "./fault.ts";
import { files } from "./files.ts";
import { floods } from "./floods.ts";
import { folder } from "./folder.ts";
import { given } from "./given.ts";
import { guarding } from "./guard.ts";
import { h2Clients } from "./h2-clients.ts";
import { h2Servers } from "./h2-servers.ts";
import { handed } from "./handing.ts";
import { givingBack } from "./giving-back.ts";
import { handover } from "./handover.ts";
import { hostsBlock } from "./hosts.ts";
import { helper } from "./helper.ts";
import { identity } from "./identity.ts";
import { images } from "./images.ts";
import { inferredNames } from "./inferred.ts";
import { json } from "./json.ts";
import { layers } from "./layers.ts";
import { links } from "./links.ts";
import { lists } from "./lists.ts";
import { logins } from "./logins.ts";
import { lowPorts } from "./low-ports.ts";
import { machine } from "./machine.ts";
import { meant } from "./meant.ts";
import { packages } from "./packages.ts";
import { people } from "./people.ts";
import { planFaults } from "./plans.ts";
import { pluginFaults } from "./plugins.ts";
import { postgresFaults } from "./postgres.ts";
import { projectNames } from "./project-names.ts";
import { proxy } from "./proxy.ts";
import { otherMachines } from "./remote.ts";
import { requests } from "./requests.ts";
import { restarts } from "./restarts.ts";
import { supervised } from "./supervisor.ts";
import { stores } from "./stores.ts";
import { sites } from "./sites.ts";
import { suites } from "./suites.ts";
import { tasks } from "./tasks.ts";
import { terminals } from "./terminals.ts";
import { tls } from "./tls.ts";
import { typed } from "./types.ts";
import { unseen } from "./unseen.ts";
import { wire } from "./wire.ts";
import { serviceFaults } from "./service.ts";
import { shown } from "./words.ts";
import { worktrees } from "./worktrees.ts";

export const faults: readonly Fault[] = [
  ...between,
  ...buildpacks,
  ...builds,
  ...serviceFaults,
  ...choosing,
  ...composeFiles,
  ...containerRuns,
  ...containers,
  ...control,
  ...daemon,
  ...databases,
  ...doors,
  ...packages,
  ...people,
  ...planFaults,
  ...pluginFaults,
  ...postgresFaults,
  ...floods,
  ...folder,
  ...h2Servers,
  ...givingBack,
  ...handover,
  ...hostsBlock,
  ...identity,
  ...images,
  ...inferredNames,
  ...files,
  ...given,
  ...guarding,
  ...handed,
  ...helper,
  ...logins,
  ...machine,
  ...json,
  ...layers,
  ...links,
  ...wire,
  ...projectNames,
  ...proxy,
  ...otherMachines,
  ...requests,
  ...h2Clients,
  ...unseen,
  ...meant,
  ...restarts,
  ...supervised,
  ...stores,
  ...sites,
  ...suites,
  ...tasks,
  ...terminals,
  ...tls,
  ...typed,
  ...lists,
  ...lowPorts,
  ...shown,
  ...worktrees,
];
