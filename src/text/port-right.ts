/** Ports that the system keeps for root -> the command that gives them to everybody. Pure. */

/** Linux, ip(7): lowers the first port that every user may listen on, until the next boot. */
export function portRightCommand(ports: readonly number[]): string {
  return `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${Math.min(80, ...ports)}`;
}
