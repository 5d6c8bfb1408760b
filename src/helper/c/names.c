/* Names on standard input and the list of domains -> names that may be written, sorted, each once. Pure. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

static int is_letter(char byte) { return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9'); }

static int is_label(struct text label) {
  if (label.length == 0 || label.length > 63) return 0;
  for (size_t i = 0; i < label.length; i++) {
    if (!is_letter(label.at[i]) && label.at[i] != '-') return 0;
  }
  return label.at[0] != '-' && label.at[label.length - 1] != '-';
}

int is_name(struct text name) {
  if (name.length == 0 || name.length > 253) return 0;
  for (;;) {
    const char *dot = memchr(name.at, '.', name.length);
    struct text label = {name.at, dot ? (size_t)(dot - name.at) : name.length};
    if (!is_label(label)) return 0;
    if (!dot) return 1;
    name.at = dot + 1;
    name.length -= label.length + 1;
  }
}

/* Below a domain, and not the domain itself: `localhost` stays as the system has it. */
static int is_below(struct text name, struct text domain) {
  if (name.length < domain.length + 2) return 0;
  const char *tail = name.at + name.length - domain.length;
  return tail[-1] == '.' && memcmp(tail, domain.at, domain.length) == 0;
}

static int is_offered(struct text name, struct text domains) {
  if (!is_name(name)) return 0;
  if (is_below(name, (struct text){"localhost", 9})) return 1;
  struct text line, domain, more;
  int ended;
  while (next_line(&domains, &line, &ended)) {
    const char *comment = memchr(line.at, '#', line.length);
    if (comment) line.length = (size_t)(comment - line.at);
    if (!ended || !next_word(&line, &domain) || next_word(&line, &more)) continue;
    if (is_name(domain) && is_below(name, domain)) return 1;
  }
  return 0;
}

int request_ended(struct text request) {
  struct text line;
  int ended;
  while (next_line(&request, &line, &ended)) {
    if (ended && text_is(line, ".")) return 1;
  }
  return 0;
}

static int by_bytes(const void *one, const void *other) {
  return text_order(*(const struct text *)one, *(const struct text *)other);
}

enum names_fault read_names(struct text request, struct text domains, struct names *names, struct text *bad) {
  names->count = 0;
  if (!request_ended(request)) return NAMES_CUT_OFF;
  struct text line;
  int ended;
  while (next_line(&request, &line, &ended) && !text_is(line, ".")) {
    *bad = line;
    if (names->count == NAMES_MAX) return NAMES_TOO_MANY;
    if (!is_offered(line, domains)) return NAMES_BAD;
    names->each[names->count++] = line;
  }
  if (names->count == 0) return NAMES_FINE;
  qsort(names->each, names->count, sizeof *names->each, by_bytes);
  size_t kept = 1;
  for (size_t i = 1; i < names->count; i++) {
    if (text_order(names->each[i], names->each[kept - 1])) names->each[kept++] = names->each[i];
  }
  names->count = kept;
  return NAMES_FINE;
}
