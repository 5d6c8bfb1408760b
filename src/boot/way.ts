/** A machine, as far as it matters -> the way in which the daemon is there after a reboot. */

export const ways = ["systemd", "launchd", "profile"] as const;
export type Way = (typeof ways)[number];

export type Machine = {
  platform: NodeJS.Platform;
  /** systemd is the machine's first process: /run/systemd/system is there. sd_booted(3). */
  hasSystemd: boolean;
  isWsl: boolean;
  isContainer: boolean;
};

/** Rows in order; the first one that fits counts. */
const table: readonly { way: Way; fits(machine: Machine): boolean }[] = [
  { way: "launchd", fits: ({ platform }) => platform === "darwin" },
  { way: "systemd", fits: ({ hasSystemd }) => hasSystemd },
  { way: "profile", fits: () => true },
];

export function wayOf(machine: Machine): Way {
  return table.find(({ fits }) => fits(machine))!.way;
}

/** Sentences about a way that is only the second best here. */
export function betterWays(way: Way, { isWsl, isContainer }: Machine): string[] {
  if (way !== "profile") return [];
  return [
    "there is no manager of services here, so the daemon starts when you log in to a shell",
    ...(isWsl
      ? [
          "for a manager, add to /etc/wsl.conf: [boot] systemd=true; then run in Windows: wsl --shutdown; and here: localhostess service install",
        ]
      : []),
    ...(isContainer
      ? ["in a container, let it be the container's command: localhostess server start"]
      : []),
  ];
}
