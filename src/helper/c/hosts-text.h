/* Text of a hosts file, a user and names -> the text with that user's block. Pure. */
#ifndef HOSTS_TEXT_H
#define HOSTS_TEXT_H

#include "names.h"
#include "text.h"

/* Users with a block, in all: more than any machine that is meant to be shared. */
enum { BLOCKS_MAX = 1000 };

/* Bytes that a block may add: two lines a name, two markers, and a newline in front. */
enum { BLOCK_MAX = 2 * (REQUEST_MAX + 16 * NAMES_MAX) + 256 };

enum hosts_fault {
  HOSTS_FINE,
  HOSTS_HAS_NUL,
  HOSTS_BAD_MARKER,
  HOSTS_NESTED,
  HOSTS_TWICE,
  HOSTS_TOO_MANY,
  HOSTS_NOT_BEGUN,
  HOSTS_NOT_ENDED,
};

struct hosts_edit {
  enum hosts_fault fault;
  /* Number of the line that is at fault, from 1. */
  size_t line;
  /* Length of the new text. */
  size_t length;
  /* Names that a line outside of all blocks has already: an administrator's word stands. */
  struct names left_out;
};

/* `room` holds old.length + BLOCK_MAX bytes. Every byte outside of the user's block is kept. */
void edit_hosts_text(struct text old, unsigned long uid, const struct names *names, char *room,
                     struct hosts_edit *edit);

/* A sentence for each fault. */
const char *hosts_fault_words(enum hosts_fault fault);

#endif
