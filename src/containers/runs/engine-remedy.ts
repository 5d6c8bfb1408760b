/** Engines of a machine that do not answer -> the sentence that helps a person to one that does. Pure. */

export type EngineRefusal = {
  path: string;
  kind: "absent" | "denied" | "asleep" | "dead" | "silent" | "other";
};

export type EngineFacts = {
  refusals: readonly EngineRefusal[];
  /** The place where a person has named the sockets; undefined: the usual ones were tried. */
  chosenBy: string | undefined;
  /** Programs that are installed. */
  has: { docker: boolean; podman: boolean; desktop: boolean };
  platform: NodeJS.Platform;
};

/** The first that fits: the nearest way from where the person is. */
export function engineRemedy({ refusals, chosenBy, has, platform }: EngineFacts): string {
  const some = (kind: EngineRefusal["kind"]): boolean => refusals.some((its) => its.kind === kind);
  const isMac = platform === "darwin";
  if (some("denied")) {
    return "to be let in: sudo usermod -aG docker $USER, and log in again; or use a rootless engine";
  }
  if (some("asleep")) return "start it with: sudo systemctl start docker";
  if (some("silent"))
    return "it hangs; restart it, with Docker's own: sudo systemctl restart docker";
  if (chosenBy !== undefined) return `start that engine, or change ${chosenBy}`;
  if (has.desktop) {
    const start = isMac ? "open -a Docker" : "systemctl --user start docker-desktop";
    return `Docker Desktop is not running; start it with: ${start}`;
  }
  if (has.podman) {
    const start = isMac ? "podman machine start" : "systemctl --user enable --now podman.socket";
    return `Podman is installed, and its socket is not there; start it with: ${start}`;
  }
  if (has.docker) {
    const start = isMac ? "start its machine, such as colima start" : "sudo systemctl start docker";
    return `Docker is installed, and its engine does not run: ${start}`;
  }
  return "install Docker or Podman; or name the socket of one: DOCKER_HOST=unix:///path";
}
