/** The output of `lsof -F puftn` -> listening sockets and working directories by process. Pure. */

export type LsofProcess = {
  pid: number;
  uid: number;
  cwd: string | undefined;
  sockets: readonly LsofSocket[];
};

export type LsofSocket = { address: string; port: number };

/** One file of a process: a run of lines that begins with `f`. */
type LsofFile = { descriptor: string; type: string; name: string };

const backslashed: Record<string, string> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  "\\": "\\",
};

/** lsof writes characters that its locale cannot print as `\t` or `\xc3\xa9`, and a backslash as two. */
function unescaped(name: string): string {
  return name.replace(
    /((?:\\x[0-9a-f]{2})+)|\\([bfnrt\\])/g,
    (_, bytes: string | undefined, letter: string) =>
      bytes === undefined
        ? backslashed[letter]!
        : Buffer.from(bytes.replaceAll("\\x", ""), "hex").toString(),
  );
}

/**
 * Parses `127.0.0.1:3000`, `[::1]:5173` or `*:3000`. A wildcard takes its family from the type. An IPv6 socket on an
 * IPv4-mapped address is printed as the IPv4 address, as we show it; only `::ffff:0.0.0.0` cannot be told from `::`.
 */
function socketOf({ type, name }: LsofFile): LsofSocket | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)|\*):(\d+)(?: \(LISTEN\))?$/.exec(name);
  if (parts === null) return undefined;
  const given = parts[1] ?? parts[2];
  const wildcard = given === undefined || given === "*";
  return {
    address: wildcard ? (type === "IPv6" ? "::" : "0.0.0.0") : given,
    port: Number(parts[3]),
  };
}

/**
 * Parses lines of one letter and a value: `p` begins a process, `f` begins one of its files. Letters that were not
 * requested are skipped (macOS adds none, later versions of lsof may).
 */
export function parseLsof(text: string): LsofProcess[] {
  const processes: LsofProcess[] = [];
  let process:
    { pid: number; uid: number; cwd: string | undefined; sockets: LsofSocket[] } | undefined;
  let file: LsofFile | undefined;

  const endFile = () => {
    if (process !== undefined && file !== undefined) {
      if (file.descriptor === "cwd") {
        // "/proc/1/cwd (readlink: Permission denied)" is not a directory.
        if (file.type === "DIR") process.cwd = unescaped(file.name);
      } else if (file.type.startsWith("IPv")) {
        const socket = socketOf(file);
        if (socket !== undefined) process.sockets.push(socket);
      }
    }
    file = undefined;
  };

  for (const line of text.split("\n")) {
    const value = line.slice(1);
    switch (line[0]) {
      case "p":
        endFile();
        process = { pid: Number(value), uid: -1, cwd: undefined, sockets: [] };
        processes.push(process);
        break;
      case "u":
        if (process !== undefined) process.uid = Number(value);
        break;
      case "f":
        endFile();
        file = { descriptor: value, type: "", name: "" };
        break;
      case "t":
        if (file !== undefined) file.type = value;
        break;
      case "n":
        if (file !== undefined) file.name = value;
        break;
    }
  }
  endFile();
  return processes;
}
