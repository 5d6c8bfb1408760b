import { expect, test } from "bun:test";
import { buildVariables } from "../../src/manifest/order.ts";
import { environmentOf, type Given } from "../../src/supervisor/service/environment.ts";

const given: Given = {
  shell: { PATH: "/bin", HOME: "/home/me", GONE: undefined },
  port: 21_000,
  url: "http://api.shop.localhost:4780",
  trust: { SSL_CERT_FILE: "/state/all.pem", NODE_EXTRA_CA_CERTS: "/state/more.pem" },
  run: { id: "ab".repeat(16), notifySocket: "/run/n/1" },
};
const spec = { env: {}, pty: true, routeName: "api.shop" };

test("a service has the shell's environment and what it is given, and nothing more", () => {
  expect(environmentOf(spec, given)).toEqual({
    PATH: "/bin",
    HOME: "/home/me",
    TERM: "xterm-256color",
    COLUMNS: "120",
    LINES: "40",
    SSL_CERT_FILE: "/state/all.pem",
    NODE_EXTRA_CA_CERTS: "/state/more.pem",
    PORT: "21000",
    NAME: "api.shop",
    LOCALHOSTESS_NAME: "api.shop",
    LOCALHOSTESS_URL: "http://api.shop.localhost:4780",
    LOCALHOSTESS_RUN_ID: "ab".repeat(16),
    NOTIFY_SOCKET: "/run/n/1",
  });
});

test("a NAME that it declares is kept, and it is still known by the name the project gives it", () => {
  const env = environmentOf({ ...spec, env: { NAME: "Alice" } }, given);
  expect([env.NAME, env.LOCALHOSTESS_NAME]).toEqual(["Alice", "api.shop"]);
});

test("an instance knows its number, which no shell and no supervisor around it tells it", () => {
  const instance = { of: "api", number: 2, routeName: "api.shop" };
  const shell = { LOCALHOSTESS_INSTANCE: "7", INSTANCE: "mine" };
  const numbers = ({ LOCALHOSTESS_INSTANCE, INSTANCE }: Record<string, string>) => [
    LOCALHOSTESS_INSTANCE,
    INSTANCE,
  ];
  const its = { ...given, shell };
  expect(numbers(environmentOf({ ...spec, instance }, its))).toEqual(["2", "2"]);
  const env = { INSTANCE: "declared" };
  expect(numbers(environmentOf({ ...spec, env, instance }, its))).toEqual(["2", "declared"]);
  // A service that is alone keeps the shell's own variable.
  expect(environmentOf(spec, its).INSTANCE).toBe("mine");
  expect(environmentOf(spec, its).LOCALHOSTESS_INSTANCE).toBeUndefined();
});

test("the shell's NAME and PORT are not the service's", () => {
  const shell = { NAME: "COMPUTER", PORT: "1" };
  expect(environmentOf(spec, { ...given, shell })).toMatchObject({
    NAME: "api.shop",
    PORT: "21000",
  });
});

test("what is declared beats the shell, the terminal and the trust; what is given beats that", () => {
  const env = { PATH: "/opt", TERM: "dumb", SSL_CERT_FILE: "/mine", PORT: "1", NOTIFY_SOCKET: "x" };
  expect(environmentOf({ ...spec, env }, given)).toMatchObject({
    PATH: "/opt",
    TERM: "dumb",
    SSL_CERT_FILE: "/mine",
    PORT: "21000",
    NOTIFY_SOCKET: "/run/n/1",
  });
});

test("what another supervisor gave the shell is not passed on", () => {
  const shell = {
    NOTIFY_SOCKET: "/run/systemd/notify",
    WATCHDOG_USEC: "1",
    LISTEN_FDS: "2",
    LISTEN_PID: "3",
    LOCALHOSTESS_RUN_ID: "other",
    LOCALHOSTESS_NAME: "other",
    LOCALHOSTESS_URL: "http://other.localhost",
  };
  const worker = { ...spec, routeName: undefined };
  const nothing = { port: undefined, url: undefined, trust: {}, run: undefined };
  expect(environmentOf({ ...worker, pty: false }, { shell, ...nothing })).toEqual({});
});

test("a service that a build has asked for is no part of the build", () => {
  const ofBuild = Object.values(buildVariables).map((name) => [name, "x"]);
  const shell = { ...Object.fromEntries(ofBuild), A: "1" };
  const worker = { ...spec, pty: false, routeName: undefined };
  const nothing = { port: undefined, url: undefined, trust: {}, run: undefined };
  expect(environmentOf(worker, { shell, ...nothing })).toEqual({ A: "1" });
});

test("a service with pipes has the shell's TERM, and no size", () => {
  const shell = { TERM: "screen", COLUMNS: "80", LINES: "24" };
  const env = environmentOf({ ...spec, pty: false }, { ...given, shell });
  expect([env.TERM, env.COLUMNS, env.LINES]).toEqual(["screen", undefined, undefined]);
});
