import { expect, test } from "bun:test";
import {
  containerBody,
  containerName,
  isHopelessRefusal,
  missingPart,
  networkName,
  volumeName,
} from "../../../src/containers/runs/container-body.ts";
import { containerSpec, madePlan } from "./made-plan.ts";

const options = {
  image: "sha256:1",
  without: new Set<never>(),
  network: "net",
  engine: "docker",
} as const;

test("ports are published on this machine alone, whatever the engine's default is", () => {
  const spec = containerSpec({
    inside: 80,
    ports: [
      { inside: 81, outside: undefined, protocol: "tcp" },
      { inside: 53, outside: 5353, protocol: "udp" },
      { inside: 53, outside: 5354, protocol: "udp" },
    ],
  });
  const { HostConfig } = containerBody(madePlan({ spec, port: 4000 }), options) as {
    HostConfig: { PortBindings: Record<string, { HostIp: string; HostPort: string }[]> };
  };
  expect(HostConfig.PortBindings).toEqual({
    "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "4000" }],
    "81/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }],
    "53/udp": [
      { HostIp: "127.0.0.1", HostPort: "5353" },
      { HostIp: "127.0.0.1", HostPort: "5354" },
    ],
  });
});

test("what a file leaves open is the image's own; what it says is asked for", () => {
  const bare = containerBody(madePlan(), options);
  for (const key of ["Cmd", "Entrypoint", "User", "WorkingDir", "StopSignal"]) {
    expect(bare).not.toHaveProperty(key);
  }
  expect(bare).toMatchObject({
    Tty: false,
    OpenStdin: false,
    HostConfig: { Init: true, AutoRemove: false, RestartPolicy: { Name: "no" } },
    NetworkingConfig: { EndpointsConfig: { net: { Aliases: ["web"] } } },
  });
  const spec = containerSpec({
    entrypoint: ["/run"],
    user: "1:1",
    workdir: "/x",
    stopSignal: "SIGQUIT",
  });
  const plan = madePlan({ spec, words: ["a", "b c"], env: { A: "1=2" }, memory: 64, tty: true });
  expect(containerBody(plan, options)).toMatchObject({
    ...{ Cmd: ["a", "b c"], Entrypoint: ["/run"], User: "1:1", WorkingDir: "/x" },
    ...{ StopSignal: "SIGQUIT", Env: ["A=1=2"], Tty: true, OpenStdin: true },
    HostConfig: { Memory: 64 },
  });
});

test("volumes and networks are another checkout's, or sandbox's, under another name, and stay the same between runs", () => {
  const plan = madePlan();
  const elsewhere = madePlan({ labels: { ...plan.labels, directory: "/shop-2" } });
  const again = madePlan({ labels: { ...plan.labels, run: "fedcba9876543210" } });
  expect(volumeName(plan, "data")).toMatch(/^localhostess-shop-[0-9a-f]{8}-data$/);
  expect(volumeName(plan, "data")).toBe(volumeName(again, "data"));
  expect(volumeName(plan, "data")).not.toBe(volumeName(elsewhere, "data"));
  expect(networkName(plan)).not.toBe(networkName(elsewhere));
  const sandboxed = madePlan({ labels: { ...plan.labels, owner: "another" } });
  expect(volumeName(plan, "data")).not.toBe(volumeName(sandboxed, "data"));
  expect(networkName(plan)).not.toBe(networkName(sandboxed));
  expect(containerName(plan)).not.toBe(containerName(again));
});

test("an engine's words say which part it lacks; a port that is taken is none", () => {
  const without = new Set<"network">();
  const words: readonly (readonly [string, string | undefined])[] = [
    ["exec: docker-init: executable file not found in $PATH", "init"],
    ["unable to derive the IP value for host-gateway", "gateway"],
    ["network x not found", "network"],
    [
      "driver failed programming external connectivity on endpoint: port is already allocated",
      undefined,
    ],
    ["no space left on device", undefined],
  ];
  for (const [why, part] of words) expect(missingPart(why, { without })).toBe(part as never);
  without.add("network");
  expect(missingPart("network x not found", { without })).toBe("bridge");
});

test("what the file or the image says wrong is final, and what the machine lacks may pass", () => {
  expect(isHopelessRefusal({ status: 400, why: "invalid mount config" })).toBe(true);
  expect(isHopelessRefusal({ status: 500, why: "executable file not found in $PATH" })).toBe(true);
  expect(isHopelessRefusal({ status: 500, why: "no space left on device" })).toBe(false);
  expect(isHopelessRefusal({ status: 400, why: "address already in use" })).toBe(false);
});
