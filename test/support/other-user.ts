/**
 * A command -> the same command as another person of this machine, who has nothing to do with the one that runs the
 * tests.
 */
import { eventually } from "./eventually.ts";

/** `nobody`: every system has that user, and nothing belongs to it. */
export const otherUid = 65_534;

/** Only root may become somebody else. */
export const canBeOther =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  ["setpriv", "perl"].every((program) => Bun.which(program) !== null);

/** Behind a test's name: where it does not run, this says why. */
export const asRoot = "(as root, with setpriv and perl)";

export function asOther(argv: readonly string[]): string[] {
  const user = ["--reuid", `${otherUid}`, "--regid", `${otherUid}`, "--clear-groups"];
  return ["setpriv", ...user, ...argv];
}

/**
 * Perl, which every Debian has, as the other person: `$s` is connected to 127.0.0.1 at `port`, from the address and
 * port that are given. Ends when its standard input does.
 */
export function otherClient(
  port: number,
  { script, from = ["127.0.0.1", 0] }: { script: string; from?: readonly [string, number] },
) {
  const program = `
    use Socket; $| = 1; $SIG{PIPE} = "IGNORE";
    socket(my $s, PF_INET, SOCK_STREAM, 0) or die $!;
    setsockopt($s, SOL_SOCKET, SO_REUSEADDR, pack("l", 1));
    bind($s, sockaddr_in(${from[1]}, inet_aton("${from[0]}"))) or die "bind $!";
    connect($s, sockaddr_in(${port}, inet_aton("127.0.0.1"))) or die "connect $!";
    ${script}`;
  return Bun.spawn(asOther(["perl", "-e", program]), {
    cwd: "/",
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
}

export interface OtherListener extends AsyncDisposable {
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

/**
 * A listener of the other person's, which answers `stranger` and remembers what it was sent. `env` is all that it has.
 */
export async function otherListener(
  port = 0,
  { address = "127.0.0.1", env = {} }: { address?: string; env?: Record<string, string> } = {},
): Promise<OtherListener> {
  const child = Bun.spawn(asOther(["perl", "-e", script, address, String(port)]), {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", ...env },
    stdout: "pipe",
    detached: true,
  });
  let heard = "";
  void (async () => {
    const decoder = new TextDecoder();
    for await (const bytes of child.stdout) heard += decoder.decode(bytes, { stream: true });
  })();
  await eventually("the other person listens", () => /^port \d+\n/.test(heard));
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
