/* Names on standard input and the list of domains -> names that may be written, sorted, each once. Pure. */
#ifndef NAMES_H
#define NAMES_H

#include "text.h"

/* More than any project has, and few enough that every lookup of the machine stays quick. */
enum { NAMES_MAX = 1000, REQUEST_MAX = 64 * 1024 };

struct names {
  size_t count;
  struct text each[NAMES_MAX];
};

enum names_fault { NAMES_FINE, NAMES_CUT_OFF, NAMES_TOO_MANY, NAMES_BAD };

/* Whether the line with a dot that ends a request is there. */
int request_ended(struct text request);

/* `bad`: the first line that is no name that may be written. `names` points into `request`. */
enum names_fault read_names(struct text request, struct text domains, struct names *names, struct text *bad);

/* RFC 1123, section 2.1: labels of a-z, 0-9 and hyphens, 63 bytes each, 253 in all; no dot at the end. */
int is_name(struct text name);

#endif
