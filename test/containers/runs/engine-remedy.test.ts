/** A machine without an engine that answers, and the way to one. */
import { expect, test } from "bun:test";
import { type EngineFacts, engineRemedy } from "../../../src/containers/runs/engine-remedy.ts";

const none: EngineFacts = {
  ...{ refusals: [], chosenBy: undefined, platform: "linux" },
  has: { docker: false, podman: false, desktop: false },
};
const at = (kind: EngineFacts["refusals"][number]["kind"]) => ({
  refusals: [
    { path: "/a.sock", kind: "absent" as const },
    { path: "/b.sock", kind },
  ],
});
const docker = { docker: true, podman: false, desktop: false };

test.each<[string, Partial<EngineFacts>, string]>([
  ["nothing", {}, "install Docker or Podman"],
  ["a socket of a group", { ...at("denied"), has: docker }, "sudo usermod -aG docker $USER"],
  ["an engine that was stopped", { ...at("asleep"), has: docker }, "sudo systemctl start docker"],
  ["an engine that hangs", { ...at("silent"), has: docker }, "restart"],
  ["a variable", { ...at("dead"), chosenBy: "DOCKER_HOST" }, "or change DOCKER_HOST"],
  ["Docker", { has: docker }, "sudo systemctl start docker"],
  ["Docker on a Mac", { has: docker, platform: "darwin" }, "colima start"],
  ["Podman", { has: { ...docker, podman: true } }, "systemctl --user enable --now podman.socket"],
  [
    "Podman on a Mac",
    { has: { ...docker, podman: true }, platform: "darwin" },
    "podman machine start",
  ],
  [
    "Docker Desktop",
    { has: { ...docker, desktop: true } },
    "systemctl --user start docker-desktop",
  ],
  [
    "Docker Desktop on a Mac",
    { has: { ...docker, desktop: true }, platform: "darwin" },
    "open -a Docker",
  ],
])("with %s, the sentence says what to do", (_, facts, remedy) => {
  expect(engineRemedy({ ...none, ...facts })).toContain(remedy);
});
