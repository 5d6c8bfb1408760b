/** A shell's environment, a service and what it is given -> the environment of its processes. Pure. */
import { buildVariables, builtVariable } from "../../manifest/order.ts";
import type { ServiceSpec } from "../../manifest/project.ts";
import { runVariable } from "../family/census.ts";
import { terminalSize } from "./child.ts";

export type Given = {
  /** The environment of the shell that said `up`. */
  shell: Readonly<Record<string, string | undefined>>;
  port: number | undefined;
  /** `http://shop.localhost:4780`; undefined for a worker. */
  url: string | undefined;
  /** SSL_CERT_FILE and its like; none where there is no authority. */
  trust: Readonly<Record<string, string>>;
  /** Our own program in its place need not build: that has just been done. */
  isBuilt?: boolean | undefined;
  /** The run that is started; undefined for a command that only borrows the environment. */
  run: { id: string; notifySocket: string | undefined } | undefined;
};

/**
 * Variables that a supervisor, ours or systemd, gave to the shell: a service that took them for its own would talk to
 * a stranger, take strange sockets, or be ended with another.
 */
const foreign = [
  "NOTIFY_SOCKET",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
  "LISTEN_FDS",
  "LISTEN_PID",
  "LISTEN_FDNAMES",
  "MAINPID",
  "LOCALHOSTESS_NAME",
  "LOCALHOSTESS_URL",
  "LOCALHOSTESS_INSTANCE",
  builtVariable,
  ...Object.values(buildVariables),
  runVariable,
];

/**
 * Later wins: the shell's; what goes with a terminal; the trust; the declared; and then what it is given, which nothing
 * beats but a declared NAME. Colours need no variable: a program asks whether it has a terminal, and NO_COLOR of the
 * shell is passed on.
 */
export function environmentOf(
  spec: Pick<ServiceSpec, "env" | "pty" | "routeName" | "instance">,
  { shell, port, url, trust, isBuilt, run }: Given,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(shell)) {
    if (value !== undefined && !foreign.includes(name)) env[name] = value;
  }
  // The shell's terminal size is wrong for a service: it has its own terminal, or none.
  delete env.COLUMNS;
  delete env.LINES;
  if (spec.pty) {
    env.TERM = "xterm-256color";
    env.COLUMNS = String(terminalSize.cols);
    env.LINES = String(terminalSize.rows);
  }
  Object.assign(env, trust, spec.env);
  if (port !== undefined) env.PORT = String(port);
  if (spec.routeName !== undefined) {
    env.NAME = spec.env.NAME ?? spec.routeName;
    env.LOCALHOSTESS_NAME = spec.routeName;
  }
  if (spec.instance !== undefined) {
    env.LOCALHOSTESS_INSTANCE = String(spec.instance.number);
    env.INSTANCE = spec.env.INSTANCE ?? env.LOCALHOSTESS_INSTANCE;
  }
  if (url !== undefined) env.LOCALHOSTESS_URL = url;
  if (isBuilt) env[builtVariable] = "1";
  if (run !== undefined) {
    env[runVariable] = run.id;
    if (run.notifySocket !== undefined) env.NOTIFY_SOCKET = run.notifySocket;
  }
  return env;
}
