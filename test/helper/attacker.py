"""
Orders as JSON, one a line on standard input -> processes of the two helpers, as hostile callers start them, and their
outcomes as JSON. To be run by `world.ts` as root, in a mount and network namespace of its own, which this prepares.

Orders but `attack` are carried out by processes of their own, so they may run at the same time.
"""
import array, ctypes, fcntl, json, os, resource, select, signal, socket, struct, subprocess, sys, time

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
PTRACE_CONT, PTRACE_SYSCALL, PTRACE_SEIZE, PTRACE_GET_SYSCALL_INFO = 7, 24, 0x4206, 0x420E
# Told apart system calls, events at exec, and an end with the tracer.
PTRACE_OPTIONS, PTRACE_EVENT_EXEC = 1 | 0x10 | 0x100000, 4
PROGRAMS = "/mnt/"


def prepare(source):
    run = lambda *words: subprocess.run(words, check=True)
    run("mount", "--make-rprivate", "/")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/mnt")
    for name in ("localhostess-helper", "localhostess-hosts"):
        run("cp", f"{source}/{name}", PROGRAMS + name)
        run("cp", f"{source}/{name}", PROGRAMS + name + ".plain")
    run("cp", f"{source}/start", PROGRAMS + "start")
    run("setcap", "cap_net_bind_service=ep", PROGRAMS + "localhostess-helper")
    os.chmod(PROGRAMS + "localhostess-hosts", 0o4755)
    run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/etc")
    # lo of a new network is down.
    with socket.socket() as some:
        fcntl.ioctl(some, 0x8914, struct.pack("16sH14x", b"lo", 0x49))


def full(end):
    end.setblocking(False)
    for size in (65536, 1):
        try:
            while True:
                end.send(b"x" * size)
        except BlockingIOError:
            pass
    end.setblocking(True)


def made_by(uid, make):
    """SO_PEERCRED of a pair has whom the process that made it worked for."""
    os.seteuid(uid)
    try:
        return make()
    finally:
        os.seteuid(0)


def descriptor_three(kind, uid):
    """What the program gets as descriptor 3, what to keep open, and the end that hears its message."""
    pair = lambda its=socket.SOCK_STREAM: made_by(uid, lambda: socket.socketpair(socket.AF_UNIX, its))
    if kind == "none":
        return None, [], None
    if kind in ("pair", "gone", "full"):
        ours, theirs = pair()
        if kind == "full":
            full(theirs)
        if kind == "gone":
            ours.close()
        return theirs.fileno(), [ours, theirs], ours if kind == "pair" else None
    if kind == "datagram":
        ends = pair(socket.SOCK_DGRAM)
    elif kind == "seqpacket":
        ends = pair(socket.SOCK_SEQPACKET)
    elif kind == "another's":
        ends = made_by(uid + 1, lambda: socket.socketpair())
    elif kind == "root's":
        ends = socket.socketpair()
    elif kind == "file":
        ends = [open("/mnt/some-file", "w+")]
    elif kind == "null":
        ends = [open("/dev/null")]
    elif kind == "folder":
        ends = [os.open("/", os.O_RDONLY)]
    elif kind == "pipe":
        ends = list(reversed(os.pipe()))
    elif kind == "unconnected":
        ends = [socket.socket(socket.AF_UNIX)]
    elif kind == "listening":
        ends = [made_by(uid, lambda: socket.socket(socket.AF_UNIX))]
        ends[0].bind("\0heard" + str(os.getpid()))
        made_by(uid, lambda: ends[0].listen())
    elif kind == "udp":
        ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
    elif kind == "tcp":
        listener = socket.create_server(("127.0.0.1", 0))
        ends = [socket.create_connection(listener.getsockname()), listener]
    else:
        raise ValueError(kind)
    first = ends[0]
    return first if isinstance(first, int) else first.fileno(), ends, None


def heard(end):
    """The one message: its text, and for each descriptor what it listens on."""
    end.setblocking(False)
    try:
        text, control, _, _ = end.recvmsg(4096, socket.CMSG_SPACE(64 * 4))
    except BlockingIOError:
        return None
    sockets = array.array("i")
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            sockets.frombytes(data)
    return {"text": text.decode(), "listeners": [listener(its) for its in sockets]}


def listener(number):
    its = socket.socket(fileno=number)
    six = its.family == socket.AF_INET6
    return {
        "address": "%s %d" % its.getsockname()[:2],
        "listens": bool(its.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)),
        "only six": bool(its.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)) if six else None,
        "blocks": not fcntl.fcntl(number, fcntl.F_GETFL) & os.O_NONBLOCK,
    }


def words_of(order):
    """What `start` does before it becomes the program."""
    if "groups" in order or order.get("uid") != 0:
        yield "groups=" + "".join(map(str, order.get("groups", [])))
    for word in ("umask", "cwd", "held"):
        if word in order:
            yield f"{word}={order[word]}"
    yield f"uid={order.get('uid', 1000)}"
    if "namespace uid" in order:
        yield f"namespace={order['namespace uid']}"
    if order.get("no new privileges"):
        yield "privileges=none"
    for word in ("signals", "alarm", "nice"):
        if word in order:
            yield f"{word}={order[word]}"
    if order.get("traced"):
        # Root attaches then: of a process that asks to be traced itself, setuid would be ignored.
        yield "stop=here"
    for target in order.get("closed", []):
        yield f"close={target}"
    for name, (soft, hard) in order.get("limits", {}).items():
        yield f"limit={getattr(resource, 'RLIMIT_' + name)}:{soft}:{hard}"


def start(order, descriptors):
    """`descriptors`: what the program has as 0, 1, 2 and, if there is one more, 3."""
    encoded = lambda words: [word.encode("latin1") for word in words]
    words = ["start", *words_of(order), "--", PROGRAMS + order["program"], *order["argv"]]
    # Far from the numbers that they get.
    high = [fcntl.fcntl(its, fcntl.F_DUPFD_CLOEXEC, 300) for its in descriptors]
    actions = [(os.POSIX_SPAWN_DUP2, its, target) for target, its in enumerate(high)]
    environment = dict(zip(encoded(order.get("env", {})), encoded(order.get("env", {}).values())))
    try:
        return os.posix_spawn(PROGRAMS + "start", encoded(words), environment, file_actions=actions)
    finally:
        for its in high:
            os.close(its)


class Running:
    """A program that was started; `outcome` waits for its end."""

    def __init__(self, order):
        self.order = order
        self.begun = time.monotonic()
        self.three, self.kept, self.end = descriptor_three(order.get("three", "pair"), order.get("uid", 1000))
        self.input, self.output, self.errors = os.pipe(), os.pipe(), os.pipe()
        if order.get("errors") == "full":
            os.set_blocking(self.errors[1], False)
            try:
                while True:
                    os.write(self.errors[1], b"x" * 4096)
            except BlockingIOError:
                os.set_blocking(self.errors[1], True)
        three = [] if self.three is None else [self.three]
        self.pid = start(order, [self.input[0], self.output[1], self.errors[1], *three])
        for descriptor in (self.input[0], self.output[1], self.errors[1]):
            os.close(descriptor)

    def feed(self):
        os.set_blocking(self.input[1], False)
        kind, text = self.order.get("stdin kind", "text"), self.order.get("stdin", "").encode("latin1")
        while text:
            try:
                sent = os.write(self.input[1], text)
                text = text if kind == "endless" else text[sent:]
            except BlockingIOError:
                if select.select([], [self.input[1]], [], 30) == ([], [], []):
                    break
            except BrokenPipeError:
                break
        # "open": nothing comes, and no end of it either.
        if kind != "open":
            os.close(self.input[1])
            self.input = None

    def outcome(self, status=None):
        if status is None:
            _, status = os.waitpid(self.pid, 0)
        out = b"".join(iter(lambda: os.read(self.output[0], 65536), b""))
        err = b"".join(iter(lambda: os.read(self.errors[0], 65536), b"")) if self.order.get("errors") != "full" else b""
        for descriptor in (self.input and self.input[1], self.output[0], self.errors[0]):
            if descriptor:
                os.close(descriptor)
        message = heard(self.end) if self.end else None
        for its in self.kept:
            os.close(its) if isinstance(its, int) else its.close()
        return {
            "code": os.waitstatus_to_exitcode(status),
            "out": out.decode("latin1"),
            "err": err.decode("latin1"),
            "message": message,
            "seconds": time.monotonic() - self.begun,
        }


def attack(order):
    """
    `program`, `argv` (with its first word), and of the caller: `uid`, `groups`, `env`, `three`, `held` (descriptors
    below it are open), `closed`, `limits`, `umask`, `cwd`, `signals`, `alarm`, `stdin`, `stdin kind`, `errors`,
    `namespace uid`.
    """
    running = Running(order)
    running.feed()
    return running.outcome()


def syscall_of(pid):
    """The number of the call that a stopped process is about to make; None behind a call."""
    info = ctypes.create_string_buffer(88)
    libc.ptrace(PTRACE_GET_SYSCALL_INFO, pid, ctypes.c_void_p(88), ctypes.addressof(info))
    return struct.unpack_from("Q", info.raw, 24)[0] if info.raw[0] == 1 else None


def until(order, stop):
    """Runs a program up to where `stop(step, pid)` holds: before and behind each system call."""
    running = Running({**order, "traced": True})
    running.feed()
    os.waitpid(running.pid, os.WUNTRACED)
    libc.ptrace(PTRACE_SEIZE, running.pid, None, ctypes.c_void_p(PTRACE_OPTIONS))
    os.kill(running.pid, signal.SIGCONT)
    while True:
        _, status = os.waitpid(running.pid, 0)
        if not os.WIFSTOPPED(status) or status >> 16 == PTRACE_EVENT_EXEC:
            break
        deliver = 0 if status >> 16 else os.WSTOPSIG(status)
        libc.ptrace(PTRACE_CONT, running.pid, None, ctypes.c_void_p(deliver))
    step, deliver = 0, 0
    while True:
        libc.ptrace(PTRACE_SYSCALL, running.pid, None, ctypes.c_void_p(deliver))
        _, status = os.waitpid(running.pid, 0)
        if not os.WIFSTOPPED(status):
            return running, step, status
        number = os.WSTOPSIG(status)
        deliver = 0 if number == 0x85 or status >> 16 else number
        if number == 0x85:
            step += 1
            if stop(step, running.pid):
                return running, step, None


def text_of(path):
    with open(path, "rb") as file:
        return file.read().decode("latin1")


FLOCK = 73 if os.uname().machine == "x86_64" else 32


def steps_of(order):
    """Steps of a whole run at which something may go wrong: behind each call from the lock on, and some before."""
    calls = []
    until(order, lambda _, pid: calls.append(syscall_of(pid)))[0].outcome(0)
    lock = calls.index(FLOCK)
    # Before a call, all is as it was behind the one that came before.
    behind = [step for step, call in enumerate(calls, 1) if call is None]
    return [step for step in behind if step > lock or step % 20 == 0]


def restore(text):
    with open("/etc/hosts", "r+b") as file:
        file.truncate(0)
        file.write(text.encode("latin1"))


def kill_everywhere(order):
    """Killed before and behind each call in turn: the texts of /etc/hosts that were left, and how the next run went."""
    before, texts, after = text_of("/etc/hosts"), {}, {}
    steps = steps_of(order)
    for step in steps:
        restore(before)
        running, _, status = until(order, lambda its, _: its == step)
        if status is None:
            os.kill(running.pid, signal.SIGKILL)
            os.waitpid(running.pid, 0)
        left = text_of("/etc/hosts")
        texts[left] = texts.get(left, 0) + 1
        again = attack(order)
        key = json.dumps([again["code"], text_of("/etc/hosts"), sorted(os.listdir("/etc"))])
        after[key] = after.get(key, 0) + 1
    return {"steps": len(steps), "texts": texts, "after": after}


def edit_everywhere(order):
    """Somebody else adds a line behind each call in turn: how often it was lost, and how often ours is there."""
    before, lost, ours = text_of("/etc/hosts"), 0, 0
    steps = steps_of(order)
    for step in steps:
        restore(before)
        running, _, status = until(order, lambda its, _: its == step)
        with open("/etc/hosts", "ab") as file:
            file.write(b"10.0.0.1 db.example\n")
        if status is None:
            libc.ptrace(PTRACE_CONT, running.pid, None, None)
            _, status = os.waitpid(running.pid, 0)
        text = text_of("/etc/hosts")
        lost += "10.0.0.1 db.example\n" not in text
        ours += "END localhostess" in text
    return {"steps": len(steps), "lost": lost, "ours": ours}


def stopped_with_lock(order):
    """One stands still with the lock; how another ends meanwhile, and the first one afterwards."""
    seen = []

    def behind_lock(_, pid):
        call = syscall_of(pid)
        seen.append(call)
        return call is None and len(seen) > 1 and seen[-2] == FLOCK

    running, _, _ = until(order["attack"], behind_lock)
    other = attack(order["other"])
    libc.ptrace(PTRACE_CONT, running.pid, None, None)
    return {"other": other, "first": running.outcome()}


def crowd(order):
    """All at once, but for those which the next ones wait for; what each was given stays open."""
    running = []
    for its in order["attacks"]:
        running.append(Running(its))
        if its.get("before next"):
            running[-1].feed()
            os.waitid(os.P_PID, running[-1].pid, os.WEXITED | os.WNOWAIT)
    # Those that wait for their input get it within a moment.
    for its in running:
        if its.input and not its.order.get("before next"):
            its.feed()
    # A listener that was heard is closed again: first, all have to be done.
    ends = [os.waitpid(its.pid, 0)[1] for its in running]
    return [its.outcome(end) for its, end in zip(running, ends)]


def swap(order):
    """While paths change all the time, each by a rename, attacks one after another: how each ended."""
    end, codes, texts = time.monotonic() + order["seconds"], {}, {}
    swapper = os.fork()
    if swapper == 0:
        while True:
            for path, shapes in order["paths"].items():
                for shape in shapes:
                    made = path + ".next"
                    try:
                        os.unlink(made)
                    except FileNotFoundError:
                        pass
                    if shape["kind"] == "link":
                        os.symlink(shape["to"], made)
                    elif shape["kind"] == "fifo":
                        os.mkfifo(made)
                    else:
                        with open(os.open(made, os.O_WRONLY | os.O_CREAT, 0o644), "w") as file:
                            os.fchmod(file.fileno(), shape.get("mode", 0o644))
                            file.write(shape["text"])
                    os.rename(made, path)
    try:
        while time.monotonic() < end:
            for its in order["attacks"]:
                outcome = attack(its)
                codes[str(outcome["code"])] = codes.get(str(outcome["code"]), 0) + 1
                for text in (outcome["err"], (outcome["message"] or {}).get("text", "")):
                    texts[text] = texts.get(text, 0) + 1
    finally:
        os.kill(swapper, signal.SIGKILL)
        os.waitpid(swapper, 0)
    return {"codes": codes, "texts": texts}


def command(order):
    done = subprocess.run(order["words"], capture_output=True)
    return {"code": done.returncode, "err": done.stderr.decode("latin1")}


ORDERS = {
    "attack": attack,
    "kill everywhere": kill_everywhere,
    "edit everywhere": edit_everywhere,
    "stopped with lock": stopped_with_lock,
    "crowd": crowd,
    "swap": swap,
    "command": command,
}


def main():
    prepare(sys.argv[1])
    answers = 1
    os.write(answers, b"\n")
    for line in sys.stdin:
        wanted = json.loads(line)
        # One attack alone is not worth a process of its own.
        if wanted["kind"] == "attack" or os.fork() == 0:
            try:
                answer = {"id": wanted["id"], "is": ORDERS[wanted["kind"]](wanted["order"])}
            except BaseException as error:
                answer = {"id": wanted["id"], "failed": repr(error)}
            with open("/mnt/answers.lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                rest = json.dumps(answer).encode() + b"\n"
                while rest:
                    rest = rest[os.write(answers, rest) :]
            if wanted["kind"] != "attack":
                os._exit(0)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


main()
