import { expect, test } from "bun:test";
import { isContainerListener } from "../../src/discovery/container-listeners.ts";
import { unusableServers } from "../../src/discovery/unusable.ts";
import { scanOf } from "./scan-of.ts";

test.each([
  "/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.17.0.2",
  "rootlesskit --state-dir=/run/user/1000/dockerd-rootless --net=slirp4netns dockerd",
  "rootlessport",
  "/usr/lib/podman/rootlessport",
  "/usr/bin/conmon --api-version 1 -c 4f2a",
  "/usr/libexec/podman/gvproxy -mtu 1500",
  "/Applications/OrbStack.app/Contents/Frameworks/OrbStack Helper.app/Contents/MacOS/OrbStack Helper vmgr",
  "/Applications/Docker.app/Contents/MacOS/com.docker.backend services",
  "/opt/homebrew/bin/limactl hostagent default",
  "ssh: /Users/me/.lima/colima/ssh.sock [mux]",
  "ssh -F /Users/me/.colima/ssh_config -L 8080:localhost:8080",
])("%s listens for containers", (command) => {
  expect(isContainerListener({ command })).toBe(true);
  const scan = scanOf([{ pid: 7, command, listens: ["0.0.0.0 8080"] }]);
  const facts = {
    hostName: "box",
    wsl: false,
    services: [],
    supervised: [],
    uid: 0,
    ownPids: new Set<number>(),
  };
  expect(unusableServers(scan, facts)).toEqual([]);
});

test.each([
  "node server.js",
  "ssh -N -L 8080:db:5432 box",
  "dockerize web",
  "nginx",
  "",
  "python3 docker-proxy.py",
])("%p does not", (command) => {
  expect(isContainerListener({ command })).toBe(false);
});
