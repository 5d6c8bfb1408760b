/** What a test wants of a container -> the container, with the rest as it usually is. */
import type { Container, PublishedPort } from "../../src/containers/container.ts";

/** `"8080:80"`, `"127.0.0.1:5432:5432"`, `"[::1]:80:80"`: the port on this machine, and the one inside. */
export function published(text: string): PublishedPort {
  const [, address = "0.0.0.0", port, inside] = /^(?:\[?(.+?)\]?:)?(\d+):(\d+)$/.exec(text)!;
  return { addresses: [address], port: Number(port), inside: Number(inside) };
}

export function madeContainer({
  ports = ["8080:80"],
  ...its
}: Partial<Omit<Container, "ports">> & { ports?: readonly string[] } = {}): Container {
  return {
    id: `id of ${its.name ?? "box"}`,
    name: "box",
    image: "box:1",
    command: "/serve",
    labels: {},
    paused: false,
    hostNetwork: false,
    createdAt: 1_700_000_000_000,
    ports: ports.map(published),
    ...its,
  };
}
