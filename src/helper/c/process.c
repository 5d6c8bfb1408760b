/* A process as its caller left it -> one whose environment, limits, signals and descriptors do no harm. */
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

/* A reader that does not read costs a second, not forever. */
static void put(int descriptor, const char *bytes, size_t length) {
  struct pollfd ready = {.fd = descriptor, .events = POLLOUT};
  if (poll(&ready, 1, 1000) != 1) return;
  /* Nobody is left to be told that a message could not be written. */
  if (write(descriptor, bytes, length) < 0) return;
}

int say(int code, const char *format, ...) {
  char line[1024];
  size_t length = (size_t)snprintf(line, sizeof line, "%s: ", program_name);
  va_list values;
  va_start(values, format);
  int more = vsnprintf(line + length, sizeof line - length - 1, format, values);
  va_end(values);
  if (more > 0) length += (size_t)more;
  if (length > sizeof line - 2) length = sizeof line - 2;
  for (size_t i = 0; i < length; i++) {
    if (line[i] < 0x20 || line[i] > 0x7e) line[i] = '?';
  }
  line[length++] = '\n';
  put(2, line, length);
  return code;
}

int say_version(int code) {
  put(1, VERSION "\n", sizeof VERSION);
  return code;
}

/* A hard limit can only be raised with CAP_SYS_RESOURCE; without it the soft one goes up to the hard one. */
static void widen(int resource, rlim_t enough) {
  struct rlimit now;
  if (getrlimit(resource, &now) || now.rlim_cur >= enough) return;
  struct rlimit wide = {enough, now.rlim_max > enough ? now.rlim_max : enough};
  if (setrlimit(resource, &wide) == 0) return;
  now.rlim_cur = now.rlim_max;
  /* Where that fails too, the call that needs more says so. */
  setrlimit(resource, &now);
}

static void widen_limits(void) {
  static const int unlimited[] = {RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_AS, RLIMIT_STACK, RLIMIT_LOCKS};
  for (size_t i = 0; i < sizeof unlimited / sizeof *unlimited; i++) widen(unlimited[i], RLIM_INFINITY);
  widen(RLIMIT_NOFILE, 64);
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

/* Dispositions, the mask and timers outlive exec. */
static void calm_signals(void) {
  for (int number = 1; number < 65; number++) signal(number, SIG_DFL);
  /* A write then says EPIPE or EFBIG. */
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  const struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &never, NULL);
  setitimer(ITIMER_VIRTUAL, &never, NULL);
  setitimer(ITIMER_PROF, &never, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

void settle(int kept) {
  clearenv();
  prctl(PR_SET_DUMPABLE, 0);
  calm_signals();
  widen_limits();
  umask(077);
  if (chdir("/")) _exit(FAILED);
  /* A file that is opened later must not become standard output. */
  for (int descriptor = 0; descriptor < 3; descriptor++) {
    if (fcntl(descriptor, F_GETFD) >= 0) continue;
    if (open("/dev/null", O_RDWR) != descriptor) _exit(FAILED);
  }
  /* Linux before 5.9 has no such call; a table of descriptors that is full is then an error further on. */
  syscall(SYS_close_range, (unsigned)kept + 1, ~0U, 0U);
}

void hold_on(unsigned seconds) {
  static const int keys[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGHUP};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) signal(keys[i], SIG_IGN);
  alarm(seconds);
}

/* Version 3 of the call, from linux/capability.h, which is no part of musl. */
struct capability_header {
  uint32_t version;
  int pid;
};
struct capability_set {
  uint32_t effective, permitted, inheritable;
};

void keep_capability(int capability) {
  struct capability_header header = {0x20080522, 0};
  struct capability_set sets[2];
  memset(sets, 0, sizeof sets);
  if (syscall(SYS_capget, &header, sets)) _exit(FAILED);
  /* The bounding set and the ambient one only matter for a program that is started: none is. */
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (int number = 0; prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0; number++) continue;
  uint32_t kept = capability < 0 ? 0 : sets[0].permitted & (1U << capability);
  sets[0] = (struct capability_set){kept, kept, 0};
  sets[1] = (struct capability_set){0, 0, 0};
  if (syscall(SYS_capset, &header, sets) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) _exit(FAILED);
}
