/** Container engines -> the volumes and networks that services of projects had there, as one piece. */
import { engineNotesIn, ownerOf } from "../../containers/runs/owner.ts";
import { ownVolumes, removeVolume } from "../../containers/runs/own-volumes.ts";
import { systemClock as clock } from "../../system/clock.ts";
import { counted } from "../../text/counted.ts";
import type { Found, Here } from "./piece.ts";

export async function volumePiece({ flags }: Here, states: readonly string[]): Promise<Found> {
  const looked = states.map((state) =>
    ownVolumes({ notes: engineNotesIn(state), owner: ownerOf(state), clock }),
  );
  const found = (await Promise.all(looked)).flat();
  const wanted = found.filter(({ kind }) => kind === "networks" || !flags.keepData);
  const volumes = wanted.filter(({ kind }) => kind === "volumes");
  const notes = flags.keepData
    ? found.filter(({ kind }) => kind === "volumes").map(({ name }) => `the volume ${name} stays`)
    : [];
  if (wanted.length === 0) return { pieces: [], notes };
  const networks = wanted.length - volumes.length;
  const what = [
    ...(volumes.length > 0 ? [counted(volumes.length, "volume")] : []),
    ...(networks > 0 ? [counted(networks, "network")] : []),
  ].join(" and ");
  return {
    pieces: [
      {
        ...{ id: "volumes", what: `${what} of containers`, isData: volumes.length > 0 },
        details: wanted.map(({ name, socket }) => `${name} (${socket})`),
        async remove() {
          for (const its of wanted) await removeVolume(its, clock);
        },
      },
    ],
    notes,
  };
}
