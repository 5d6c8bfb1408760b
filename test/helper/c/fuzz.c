/*
 * Bytes of a fuzzer -> a request, a list of domains, a hosts file and a list of users, which the parsers of src/helper/c
 * read, and what has to hold of their results. Parts are split by the byte 0x1f, in this order.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts-text.h"
#include "names.h"
#include "text.h"
#include "users.h"

enum { INPUT_MAX = 256 * 1024 };

#define HOLDS(condition)                                                   \
  do {                                                                     \
    if (!(condition)) {                                                    \
      fprintf(stderr, "does not hold, line %d: %s\n", __LINE__, #condition); \
      abort();                                                             \
    }                                                                      \
  } while (0)

static struct text part(struct text *rest) {
  const char *end = rest->length ? memchr(rest->at, 0x1f, rest->length) : NULL;
  size_t length = end ? (size_t)(end - rest->at) : rest->length;
  struct text its = {rest->at, length};
  rest->at += length + (end ? 1 : 0);
  rest->length -= length + (end ? 1 : 0);
  return its;
}

/* In memory of its own, so that a byte read past its end is found. */
static struct text own(struct text text) {
  char *room = malloc(text.length ? text.length : 1);
  if (!room) abort();
  if (text.length) memcpy(room, text.at, text.length);
  return (struct text){room, text.length};
}

static int same(struct text one, struct text other) {
  return one.length == other.length && (one.length == 0 || memcmp(one.at, other.at, one.length) == 0);
}

/* Grammar once more, byte by byte, written another way. */
static int plainly_name(struct text name) {
  size_t label = 0;
  if (name.length > 253) return 0;
  for (size_t i = 0; i <= name.length; i++) {
    char byte = i < name.length ? name.at[i] : '.';
    if (byte == '.') {
      if (label == 0 || label > 63 || name.at[i - 1] == '-') return 0;
      label = 0;
    } else if (byte == '-' ? label == 0 : !strchr("abcdefghijklmnopqrstuvwxyz0123456789", byte) || byte == 0) {
      return 0;
    } else {
      label++;
    }
  }
  return 1;
}

static int ends_with(struct text name, const char *tail) {
  size_t length = strlen(tail);
  return name.length > length && memcmp(name.at + name.length - length, tail, length) == 0;
}

/* Lines outside of a user's block, one after another, without the newline at the very end. */
static struct text foreign(struct text text, unsigned long uid, char *room) {
  char begin[64], end[64];
  snprintf(begin, sizeof begin, "# BEGIN localhostess %lu", uid);
  snprintf(end, sizeof end, "# END localhostess %lu", uid);
  struct text line, its = {room, 0};
  int ended, inside = 0;
  while (next_line(&text, &line, &ended)) {
    struct text bare = line;
    if (bare.length && bare.at[bare.length - 1] == '\r') bare.length--;
    if (text_is(bare, begin)) inside = 1;
    if (!inside) {
      if (line.length) memcpy(room + its.length, line.at, line.length);
      its.length += line.length;
      room[its.length++] = '\n';
    }
    if (text_is(bare, end)) inside = 0;
  }
  return its;
}

static void check_names_of(struct text request, struct text domains, struct names *names) {
  struct text bad = {"", 0};
  if (read_names(request, domains, names, &bad) != NAMES_FINE) {
    names->count = 0;
    return;
  }
  HOLDS(request_ended(request));
  for (size_t i = 0; i < names->count; i++) {
    HOLDS(plainly_name(names->each[i]));
    HOLDS(!text_is(names->each[i], "localhost"));
    HOLDS(ends_with(names->each[i], ".localhost") || domains.length);
    if (i) HOLDS(text_order(names->each[i - 1], names->each[i]) < 0);
  }
}

static void check_hosts(struct text old, unsigned long uid, const struct names *names) {
  static char first_room[INPUT_MAX + BLOCK_MAX], again_room[INPUT_MAX + 2 * BLOCK_MAX];
  static char without_room[INPUT_MAX + 2 * BLOCK_MAX], old_lines[INPUT_MAX + BLOCK_MAX + 1];
  static char new_lines[INPUT_MAX + BLOCK_MAX + 1];
  static struct hosts_edit edit, again;
  static const struct names none = {.count = 0};
  edit_hosts_text(old, uid, names, first_room, &edit);
  if (edit.fault != HOSTS_FINE) {
    HOLDS(edit.length == 0 && edit.line > 0 && hosts_fault_words(edit.fault));
    return;
  }
  struct text new_text = {first_room, edit.length};
  HOLDS(edit.length <= old.length + BLOCK_MAX);
  HOLDS(edit.left_out.count <= names->count);
  HOLDS(same(foreign(old, uid, old_lines), foreign(new_text, uid, new_lines)));
  edit_hosts_text(new_text, uid, names, again_room, &again);
  HOLDS(again.fault == HOSTS_FINE && again.left_out.count == edit.left_out.count);
  HOLDS(same(new_text, (struct text){again_room, again.length}));
  edit_hosts_text(new_text, uid, &none, again_room, &again);
  HOLDS(again.fault == HOSTS_FINE);
  struct text without_new = {again_room, again.length};
  edit_hosts_text(old, uid, &none, without_room, &again);
  struct text without_old = {without_room, again.length};
  HOLDS(same(without_old, without_new));
  /* Where nothing was dropped, there was no block: the file comes back as it was. */
  size_t newline = old.length && old.at[old.length - 1] != '\n' ? 1 : 0;
  if (foreign(old, uid, old_lines).length == old.length + newline) HOLDS(same(old, without_new));
}

static void check_users(struct text users, unsigned long uid) {
  char number[24];
  snprintf(number, sizeof number, "%lu", uid);
  int may = users_allow(users, uid, "ports");
  if (may) HOLDS(memmem(users.at, users.length, number, strlen(number)));
  /* A list that was cut off allows nobody whom the whole does not. */
  for (size_t cut = 0; cut < users.length && cut < 32; cut++) {
    struct text some = own((struct text){users.at, cut});
    if (users_allow(some, uid, "ports")) HOLDS(may);
    free((void *)some.at);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static struct names names;
  if (size > INPUT_MAX) return 0;
  struct text rest = {(const char *)bytes, size};
  struct text request = own(part(&rest)), domains = own(part(&rest)), hosts = own(part(&rest));
  struct text users = own(rest);
  check_names_of(request, domains, &names);
  check_hosts(hosts, 1000, &names);
  check_hosts(hosts, 1, &names);
  check_users(users, 1000);
  check_users(hosts, 0);
  free((void *)request.at);
  free((void *)domains.at);
  free((void *)hosts.at);
  free((void *)users.at);
  return 0;
}
