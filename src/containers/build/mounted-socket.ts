/** The engine that is asked at a socket here -> the path at which that socket is mounted into its containers. */
import type { At } from "../runs/container-calls.ts";
import type { Engine } from "../runs/choose-engine.ts";
import { engineCall } from "../runs/engine-calls.ts";

export type EngineFacts = {
  /** As it names the machine that it is on: `x86_64`, `arm64`. */
  architecture: string | undefined;
  /** A path on the machine on which its containers run. */
  socket: string;
  /** Users inside are others outside, unless a container says that they are not. */
  hasOtherUsers: boolean;
};

/** Where engines have theirs in a virtual machine, whose socket here leads there. */
const socketsInside = {
  docker: "/var/run/docker.sock",
  podman: "/run/podman/podman.sock",
} as const;
const deadline = 30_000;

/** `platform`: of this machine. */
export async function engineFacts(
  at: At,
  { engine, platform }: { engine: Engine; platform: NodeJS.Platform },
): Promise<EngineFacts> {
  const info = table((await got(at, "/info")) ?? {});
  const { Architecture, OperatingSystem, SecurityOptions } = info;
  const isElsewhere = platform !== "linux" || OperatingSystem === "Docker Desktop";
  const options = Array.isArray(SecurityOptions) ? SecurityOptions.map(String) : [];
  return {
    architecture:
      typeof Architecture === "string" && Architecture !== "" ? Architecture : undefined,
    socket: isElsewhere ? await socketElsewhere(at, engine) : engine.socket,
    // Rootless Docker's users are others as well, and its root has the socket.
    hasOtherUsers: options.some((its) => /^name=userns\b/.test(its)),
  };
}

/** Podman's machine tells where its own is; that of an ordinary user has the user's number in it. */
async function socketElsewhere(at: At, { kind }: Engine): Promise<string> {
  if (kind === "docker") return socketsInside.docker;
  const host = table(table((await got(at, "/v4.0.0/libpod/info")) ?? {}).host);
  const { path } = table(host.remoteSocket);
  return typeof path === "string" && path !== ""
    ? path.replace(/^unix:\/\//, "")
    : socketsInside.podman;
}

/** Undefined: it does not say. */
async function got({ socket, clock, signal }: At, path: string): Promise<unknown> {
  const answer = await engineCall(socket, { method: "GET", path, clock, deadline, signal });
  return answer.kind === "answer" ? answer.value : undefined;
}

/** Whether programs of an image run there without a translation. Names are of Go, and of the kernel. */
export function isSameArchitecture(image: string, engine: string): boolean {
  const plain = (its: string): string => names[its.toLowerCase()] ?? its.toLowerCase();
  return plain(image) === plain(engine);
}

const names: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

function table(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
