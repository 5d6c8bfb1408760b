/** The program's path -> the unit by which systemd's manager of a user runs the daemon. systemd.service(5). */

/** The package for Debian has the same unit, in /usr/lib/systemd/user. */
export const unitName = "localhostess.service";

export type UnitOptions = {
  /** Absolute; the path that stays the same when a newer version is installed. */
  program: string;
};

/** How the daemon is started: in the background, as its own log has its lines. */
export const daemonWords = ["server", "start", "--background"] as const;

export function unitText({ program }: UnitOptions): string {
  const command = (words: readonly string[]) => [program, ...words].map(unitWord).join(" ");
  return `# The daemon of localhostess, which gives names to the servers of this user.
# To change something: systemctl --user edit ${unitName}

[Unit]
Description=localhostess: names instead of ports
Documentation=man:localhostess(1)
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=notify
# The daemon that takes over says so itself, and is a process that this one has not started.
NotifyAccess=all
ExecStart=${command(daemonWords)}
# Another daemon in the same unit takes over: no request is lost, and services go on.
ExecReload=${command(["server", "restart"])}
Restart=on-failure
RestartSec=1
# 2: config.toml has errors, which another attempt does not mend.
RestartPreventExitStatus=2
# 130: ended at once, by a second signal.
SuccessExitStatus=130
# The daemon ends its services, in their order. After a crash, the next daemon ends what is left of them.
KillMode=process
TimeoutStartSec=120
TimeoutStopSec=120
# A service without memory is a matter of that service.
OOMPolicy=continue

[Install]
WantedBy=default.target
`;
}

/** systemd.unit(5), systemd.service(5): quotes, specifiers and variables. */
export function unitWord(word: string): string {
  const plain = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain;
  return `"${plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
