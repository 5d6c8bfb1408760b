/** The unit by which systemd's manager of a user runs the daemon, as the package for Debian has it. */
export const unitPath = "usr/lib/systemd/user/localhostess.service";

export const unit = `[Unit]
Description=localhostess: names instead of ports
Documentation=man:localhostess(1)

[Service]
Type=notify
NotifyAccess=all
ExecStart=/usr/bin/localhostess server start --background
Restart=on-failure
KillMode=process

[Install]
WantedBy=default.target
`;
