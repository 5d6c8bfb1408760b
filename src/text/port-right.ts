/** Ports that the system keeps for root -> the command that gives them to a daemon, or to every program. Pure. */

/** Those that the helper gives to one user. */
const helped: readonly number[] = [80, 443];

/** Gives the ports to a daemon of this user: by the helper where that can, else to everybody. */
export function portRightCommand(ports: readonly number[]): string {
  const isHelped = ports.every((port) => helped.includes(port));
  return isHelped ? "localhostess setup" : everybodysPortCommand(ports);
}

/** Linux, ip(7): lowers the first port that every user and program may listen on, until the next boot. */
export function everybodysPortCommand(ports: readonly number[]): string {
  return `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${Math.min(80, ...ports)}`;
}
