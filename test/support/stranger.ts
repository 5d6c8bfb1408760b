/** A port -> a listener of another user's on it, which answers and remembers what it was sent. Root, Linux and perl only. */
import { eventually } from "./eventually.ts";

/** The user nobody of Debian and Fedora. */
export const strangerUid = 65_534;

/** Whether there can be one; say so in the name of a test that is skipped. */
export const mayBeStranger =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  Bun.which("setpriv") !== null &&
  Bun.which("perl") !== null;

export interface Stranger extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** All that it was sent, and `+` for each connection. */
  heard(): string;
}

const script = `
use IO::Socket::INET;
$| = 1;
my ($address, $port) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => 8, ReuseAddr => 1) or die "none: $!";
print "port ", $listener->sockport, "\\n";
while (my $link = $listener->accept) {
  print "+";
  while (my $line = <$link>) { print $line; last if $line =~ /^\\r?$/; }
  print $link "HTTP/1.1 200 OK\\r\\nContent-Length: 8\\r\\nConnection: close\\r\\n\\r\\nstranger";
  close $link;
}
`;

/** `env` is all that it has. */
export async function stranger(
  port = 0,
  { address = "127.0.0.1", env = {} }: { address?: string; env?: Record<string, string> } = {},
): Promise<Stranger> {
  const id = String(strangerUid);
  const child = Bun.spawn(
    [
      ...["setpriv", "--reuid", id, "--regid", id, "--clear-groups"],
      ...["perl", "-e", script, address, String(port)],
    ],
    { cwd: "/", env: { PATH: "/usr/bin:/bin", ...env }, stdout: "pipe", detached: true },
  );
  let heard = "";
  void (async () => {
    const decoder = new TextDecoder();
    for await (const bytes of child.stdout) heard += decoder.decode(bytes, { stream: true });
  })();
  await eventually("a stranger listens", () => /^port \d+\n/.test(heard));
  return {
    port: Number(/^port (\d+)/.exec(heard)![1]),
    pid: child.pid,
    heard: () => heard.replace(/^port \d+\n/, ""),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
