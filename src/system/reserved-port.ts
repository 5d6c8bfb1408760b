/** A port number -> whether the system keeps it for root, so that it is not free for us whoever listens there. */

/** The first port that every user may have, at most: ip(7), ip_unprivileged_port_start. */
const firstUnreserved = 1024;

/** Asks by listening for a moment: libc's errno is gone before JavaScript could read it. */
export function isReserved(port: number): boolean {
  if (port >= firstUnreserved) return false;
  try {
    const options = { hostname: "127.0.0.1", port, exclusive: true } as const;
    Bun.listen({ ...options, socket: { data() {} } }).stop(true);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
}
