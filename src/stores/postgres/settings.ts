/** The settings that a file declares -> lines of PostgreSQL's configuration, or why they cannot be. Pure. */

/** Settings by which the server is found, read or stopped: they are this program's. */
const ours: Readonly<Record<string, string>> = {
  listen_addresses: "it listens on this machine alone",
  port: "write port beside type",
  data_directory: "the data is in the state directory",
  config_file: "the data has its own",
  hba_file: "the data has its own",
  ident_file: "the data has its own",
  external_pid_file: "the data has its own",
  unix_socket_directories: "the socket is in a private folder",
  unix_socket_group: "the socket is in a private folder",
  unix_socket_permissions: "the socket is in a private folder",
  logging_collector: "its log is that of the service",
  log_destination: "its log is that of the service",
  include: "write the settings themselves",
  include_dir: "write the settings themselves",
  include_if_exists: "write the settings themselves",
};

/** A sentence's part for each setting that is refused. */
export function refusedSettings(settings: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    const why = ours[name.toLowerCase()];
    if (why !== undefined) return [`${name} cannot be set: ${why}`];
    if (!/^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?$/.test(name)) {
      return [`${JSON.stringify(name)} is no name of a setting`];
    }
    return /[\0\r\n]/.test(value) ? [`${name} has a value of more than one line`] : [];
  });
}

/** Takes settings that are not refused. A backslash and an apostrophe are doubled inside a value. */
export function configurationOf(settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${value.replace(/['\\]/g, "$&$&")}'`,
  );
  return ["# Written at each start, from the settings of locald.toml.", ...lines, ""].join("\n");
}
