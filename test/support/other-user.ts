/** A command -> the same command as another person of this machine, who has nothing to do with the one that runs the tests. */

/** `nobody`: every system has that user, and nothing belongs to it. */
export const otherUid = 65_534;

/** Only root may become somebody else. */
export const canBeOther =
  process.platform === "linux" && process.getuid?.() === 0 && Bun.which("setpriv") !== null;

/** Behind a test's name: where it does not run, this says why. */
export const asRoot = "(as root, with setpriv)";

export function asOther(argv: readonly string[]): string[] {
  const user = ["--reuid", `${otherUid}`, "--regid", `${otherUid}`, "--clear-groups"];
  return ["setpriv", ...user, ...argv];
}

/**
 * Perl, which every Debian has, as the other person: `$s` is connected to 127.0.0.1 at `port`, from the address and port
 * that are given. Ends when its standard input does.
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
