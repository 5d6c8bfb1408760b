/* `localhostess-helper <version> bind 80 443` -> listeners on loopback, handed over descriptor 3. docs/helper.md */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "asked.h"
#include "process.h"

const char program_name[] = "localhostess-helper";

enum { CALLER = 3, PORTS_MAX = 2, LISTENERS_MAX = 4, BACKLOG = 511 };

struct listeners {
  int count;
  int each[LISTENERS_MAX];
  /* A line for each, as `4 80`. */
  char lines[64];
};

/* Whether descriptor 3 is one end of a stream whose other end the same user made. */
static int check_caller(uid_t uid) {
  int domain, type, listens;
  socklen_t size = sizeof(int);
  if (getsockopt(CALLER, SOL_SOCKET, SO_DOMAIN, &domain, &size) ||
      getsockopt(CALLER, SOL_SOCKET, SO_TYPE, &type, &size) ||
      getsockopt(CALLER, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) || domain != AF_UNIX || type != SOCK_STREAM ||
      listens) {
    return say(REFUSED, "descriptor 3 is not one end of a stream socket pair");
  }
  struct ucred peer;
  size = sizeof peer;
  if (getsockopt(CALLER, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.uid != uid) {
    return say(REFUSED, "the other end of descriptor 3 is not of user %lu", (unsigned long)uid);
  }
  return GO_ON;
}

/* 0: no such port is offered. */
static uint16_t port_of(const char *word) {
  if (strcmp(word, "80") == 0) return 80;
  return strcmp(word, "443") == 0 ? 443 : 0;
}

/* -1 with errno where it cannot be had. */
static int listener_on(int family, uint16_t port) {
  int one = 1;
  int listener = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) return -1;
  struct sockaddr_in four = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  int is_six = family == AF_INET6;
  const struct sockaddr *address = is_six ? (const struct sockaddr *)&six : (const struct sockaddr *)&four;
  socklen_t size = is_six ? sizeof six : sizeof four;
  /* Connections that linger from before must not keep the port. */
  if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
      (!is_six || setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) == 0) &&
      bind(listener, address, size) == 0 && listen(listener, BACKLOG) == 0) {
    return listener;
  }
  int why = errno;
  close(listener);
  errno = why;
  return -1;
}

static void add(struct listeners *listeners, int family, uint16_t port) {
  int listener = listener_on(family, port);
  if (listener >= 0) {
    size_t length = strlen(listeners->lines);
    snprintf(listeners->lines + length, sizeof listeners->lines - length, "%d %d\n", family == AF_INET6 ? 6 : 4, port);
    listeners->each[listeners->count++] = listener;
    return;
  }
  /* A machine without IPv6 lacks nothing. */
  if (family == AF_INET6 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) return;
  say(FAILED, "%s:%d: %s", family == AF_INET6 ? "[::1]" : "127.0.0.1", port, strerror(errno));
}

/* One message, or none: a caller that does not read is not waited for longer than two seconds. */
static int hand_over(const struct listeners *listeners) {
  char control[CMSG_SPACE(sizeof listeners->each)] __attribute__((aligned(8))) = {0};
  size_t size = (size_t)listeners->count * sizeof(int);
  struct iovec lines = {(void *)(uintptr_t)listeners->lines, strlen(listeners->lines)};
  struct msghdr message = {
      .msg_iov = &lines, .msg_iovlen = 1, .msg_control = control, .msg_controllen = (socklen_t)CMSG_SPACE(size)};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = (socklen_t)CMSG_LEN(size);
  memcpy(CMSG_DATA(rights), listeners->each, size);
  struct pollfd ready = {.fd = CALLER, .events = POLLOUT};
  if (poll(&ready, 1, 2000) == 0) return say(FAILED, "nobody reads from descriptor 3");
  ssize_t sent = sendmsg(CALLER, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent == (ssize_t)lines.iov_len) return DONE;
  return say(FAILED, "descriptor 3: %s", sent < 0 ? strerror(errno) : "the message was cut off");
}

int main(int argc, char **argv) {
  settle(CALLER);
  uid_t uid = getuid();
  keep_capability(NET_BIND_SERVICE);
  int code = check_arguments(argc, argv, "bind", PORTS_MAX);
  if (code != GO_ON) return code;
  if (geteuid() != uid) return say(FAILED, "this program must not be setuid: localhostess setup mends that");
  uint16_t ports[PORTS_MAX];
  int count = argc - 3;
  for (int i = 0; i < count; i++) {
    ports[i] = port_of(argv[3 + i]);
    if (ports[i] == 0) return say(REFUSED, "only 80 and 443 are offered, not \"%.32s\"", argv[3 + i]);
  }
  if (count == 0 || (count == 2 && ports[0] == ports[1])) return say(REFUSED, "ask for 80, for 443, or for both");
  code = check_user(uid, "ports");
  if (code == GO_ON) code = check_caller(uid);
  if (code != GO_ON) return code;
  struct listeners listeners = {.count = 0};
  for (int i = 0; i < count; i++) {
    add(&listeners, AF_INET, ports[i]);
    add(&listeners, AF_INET6, ports[i]);
  }
  keep_capability(NO_CAPABILITY);
  /* Each that is missing has been said. */
  return listeners.count ? hand_over(&listeners) : FAILED;
}
