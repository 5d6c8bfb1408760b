/** The container of a service as most are; a test says what is different. */
import type { ContainerSpec } from "../../../src/manifest/types/own.ts";
import type { ContainerPlan } from "../../../src/containers/runs/container-plan.ts";

export function madePlan(changes: Partial<ContainerPlan> = {}): ContainerPlan {
  return {
    labels: {
      run: "0123456789abcdef",
      owner: "me",
      directory: "/shop",
      service: "web",
      routeName: undefined,
    },
    project: "shop",
    spec: containerSpec(),
    words: [],
    env: {},
    port: undefined,
    tty: false,
    stopTimeout: 1000,
    memory: undefined,
    check: undefined,
    readiness: "program",
    ...changes,
  };
}

export function containerSpec(changes: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    kind: "container",
    image: "shop/web:1",
    build: undefined,
    entrypoint: undefined,
    user: undefined,
    workdir: undefined,
    inside: undefined,
    ports: [],
    volumes: [],
    stopSignal: undefined,
    pull: "missing",
    ...changes,
  };
}
