/* `localhostess-hosts <version> write`, names on stdin -> the user's block in /etc/hosts. docs/helper.md */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "asked.h"
#include "hosts-file.h"
#include "names.h"
#include "process.h"
#include "root-file.h"

const char program_name[] = "localhostess-hosts";

/* Seconds for the whole input: its writer is a program that has it at hand. */
enum { INPUT_SECONDS = 10 };
/* For the lock, for which it waits ten seconds, and for a disk that is slow. */
enum { WRITE_SECONDS = 60 };

/*
 * From setuid root to plain root without a capability, so that neither a file of the user nor a signal of theirs is
 * within reach.
 */
static int become_root(void) {
  /* Inside a user namespace the kernel may forbid this one; other groups do no harm. */
  if (setgroups(0, NULL) && errno != EPERM) return say(FAILED, "setgroups: %s", strerror(errno));
  if (setresgid(0, 0, 0) || setresuid(0, 0, 0)) return say(FAILED, "setresuid: %s", strerror(errno));
  keep_capability(NO_CAPABILITY);
  return GO_ON;
}

static long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Up to the line with a dot. */
static int read_request(char *room, struct text *request) {
  *request = (struct text){room, 0};
  long end = milliseconds() + INPUT_SECONDS * 1000;
  while (!request_ended(*request)) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    long left = end - milliseconds();
    if (left <= 0 || poll(&input, 1, (int)left) == 0) {
      return say(FAILED, "stdin has not ended with a line \".\" after %d s; nothing was changed", INPUT_SECONDS);
    }
    if (request->length == REQUEST_MAX) return say(REFUSED, "more than 64 KiB of names");
    ssize_t got = read(0, room + request->length, REQUEST_MAX - request->length);
    if (got < 0 && errno != EAGAIN) return say(FAILED, "stdin: %s", strerror(errno));
    if (got == 0) return say(REFUSED, "stdin was cut off: no line \".\" at its end; nothing was changed");
    if (got > 0) request->length += (size_t)got;
  }
  return GO_ON;
}

static int read_domains(char *room, struct text *domains) {
  enum root_file_state state = read_root_file("domains", room, domains);
  if (state == ROOT_FILE_READ) return GO_ON;
  *domains = (struct text){room, 0};
  /* Names below localhost need no list. */
  if (state == ROOT_FILE_MISSING) return GO_ON;
  return say(REFUSED, "/etc/localhostess/domains: %s. To mend that: localhostess setup --hosts", root_file_words(state));
}

static int check_names(struct text request, struct text domains, struct names *names) {
  struct text bad = {"", 0};
  switch (read_names(request, domains, names, &bad)) {
    case NAMES_FINE:
      return GO_ON;
    case NAMES_CUT_OFF:
      return say(REFUSED, "stdin was cut off; nothing was changed");
    case NAMES_TOO_MANY:
      return say(REFUSED, "more than %d names", NAMES_MAX);
    case NAMES_BAD:
      break;
  }
  return say(REFUSED, "\"%.*s\" is no name below localhost or below a domain in /etc/localhostess/domains",
             bad.length > 300 ? 300 : (int)bad.length, bad.at);
}

/* Done all the same: the block has the other names. */
static void say_left_out(const struct names *names) {
  char list[400];
  size_t length = 0;
  for (size_t i = 0; i < names->count && length + names->each[i].length + 2 < sizeof list; i++) {
    length += (size_t)snprintf(list + length, sizeof list - length, "%s%.*s", i ? " " : "",
                               (int)names->each[i].length, names->each[i].at);
  }
  if (length) say(DONE, "left out, as other lines of /etc/hosts have them (%zu): %s", names->count, list);
}

int main(int argc, char **argv) {
  static char request_room[REQUEST_MAX], domains_room[ROOT_FILE_MAX];
  static struct names names, left_out;
  struct text request, domains;
  settle(2);
  uid_t uid = getuid();
  int is_root = geteuid() == 0;
  int code = is_root ? become_root() : GO_ON;
  if (code == GO_ON) code = check_arguments(argc, argv, "write", 0);
  if (code != GO_ON) return code;
  if (!is_root) return say(FAILED, "this program has no rights: localhostess setup --hosts gives them");
  code = check_user(uid, "hosts");
  if (code == GO_ON) code = read_request(request_room, &request);
  if (code == GO_ON) code = read_domains(domains_room, &domains);
  if (code == GO_ON) code = check_names(request, domains, &names);
  if (code != GO_ON) return code;
  /* The kernel sends signals of a terminal to root's processes too. */
  hold_on(WRITE_SECONDS);
  code = write_hosts_file(uid, &names, &left_out);
  if (code == DONE) say_left_out(&left_out);
  return code;
}
