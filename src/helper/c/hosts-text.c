/* Text of a hosts file, a user and names -> the text with that user's block. Pure. */
#include "hosts-text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "# BEGIN localhostess"
#define END "# END localhostess"

enum marker { NO_MARKER, BEGINS, ENDS, BAD_MARKER };

/* An editor may have put a carriage return behind a marker. */
static enum marker marker_of(struct text line, unsigned long *uid) {
  if (line.length && line.at[line.length - 1] == '\r') line.length--;
  const char *word = text_begins(line, BEGIN) ? BEGIN : text_begins(line, END) ? END : NULL;
  if (!word) return NO_MARKER;
  line.at += strlen(word);
  line.length -= strlen(word);
  if (line.length == 0) return BAD_MARKER;
  /* "# BEGIN localhostess's own" is somebody's comment. */
  if (line.at[0] != ' ') return NO_MARKER;
  if (!text_uid((struct text){line.at + 1, line.length - 1}, uid)) return BAD_MARKER;
  return word[2] == 'B' ? BEGINS : ENDS;
}

/* Where the user's block is. `found` is 0 where there is none. */
struct block {
  int found, ended_with_newline;
  size_t start, end;
};

/* Users whose block began already, in the order of the text. */
struct begun {
  size_t count;
  unsigned long each[BLOCKS_MAX];
};

static enum hosts_fault begin(struct begun *begun, unsigned long uid) {
  for (size_t i = 0; i < begun->count; i++) {
    if (begun->each[i] == uid) return HOSTS_TWICE;
  }
  if (begun->count == BLOCKS_MAX) return HOSTS_TOO_MANY;
  begun->each[begun->count++] = uid;
  return HOSTS_FINE;
}

static int by_folded_bytes(const void *key, const void *entry) {
  return text_order(*(const struct text *)key, *(const struct text *)entry);
}

/* Names of one line that is outside of every block: an address, then names, up to a '#'. */
static void note_foreign(struct text line, const struct names *names, unsigned char *taken) {
  const char *comment = memchr(line.at, '#', line.length);
  if (comment) line.length = (size_t)(comment - line.at);
  struct text word;
  if (!next_word(&line, &word)) return;
  while (next_word(&line, &word)) {
    char folded[256];
    while (word.length && (word.at[word.length - 1] == '.' || word.at[word.length - 1] == '\r')) word.length--;
    if (word.length > sizeof folded) continue;
    for (size_t i = 0; i < word.length; i++) {
      char byte = word.at[i];
      folded[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte + 'a' - 'A') : byte;
    }
    struct text name = {folded, word.length};
    const struct text *found = bsearch(&name, names->each, names->count, sizeof name, by_folded_bytes);
    if (found) taken[found - names->each] = 1;
  }
}

/* Fills in where the block is and which names are taken. */
static enum hosts_fault survey(struct text old, unsigned long uid, const struct names *names, struct block *block,
                               unsigned char *taken, size_t *number) {
  struct text rest = old, line;
  struct begun begun = {0, {0}};
  unsigned long inside = 0, its = 0;
  size_t begun_at = 0;
  int ended, is_inside = 0;
  enum hosts_fault fault;
  *number = 1;
  if (old.length && memchr(old.at, 0, old.length)) return HOSTS_HAS_NUL;
  for (; next_line(&rest, &line, &ended); ++*number) {
    switch (marker_of(line, &its)) {
      case BAD_MARKER:
        return HOSTS_BAD_MARKER;
      case BEGINS:
        if (is_inside) return HOSTS_NESTED;
        fault = begin(&begun, its);
        if (fault != HOSTS_FINE) return fault;
        is_inside = 1;
        inside = its;
        begun_at = *number;
        if (its == uid) block->start = (size_t)(line.at - old.at);
        break;
      case ENDS:
        if (!is_inside || its != inside) return HOSTS_NOT_BEGUN;
        is_inside = 0;
        if (its != uid) break;
        *block = (struct block){1, ended, block->start, (size_t)(line.at - old.at) + line.length + (ended ? 1 : 0)};
        break;
      case NO_MARKER:
        if (!is_inside && names->count) note_foreign(line, names, taken);
        break;
    }
  }
  *number = begun_at;
  return is_inside ? HOSTS_NOT_ENDED : HOSTS_FINE;
}

static size_t put(char *room, size_t at, struct text text) {
  if (text.length) memcpy(room + at, text.at, text.length);
  return at + text.length;
}

static size_t put_word(char *room, size_t at, const char *word) {
  return put(room, at, (struct text){word, strlen(word)});
}

/* Lines of a block, without a newline behind the last. */
static size_t put_block(char *room, size_t at, unsigned long uid, const struct names *names,
                        const unsigned char *taken) {
  char number[24];
  snprintf(number, sizeof number, " %lu", uid);
  at = put_word(room, put_word(room, put_word(room, at, BEGIN), number), "\n");
  for (size_t i = 0; i < names->count; i++) {
    if (taken[i]) continue;
    at = put_word(room, put(room, put_word(room, at, "127.0.0.1 "), names->each[i]), "\n");
    at = put_word(room, put(room, put_word(room, at, "::1 "), names->each[i]), "\n");
  }
  return put_word(room, put_word(room, at, END), number);
}

void edit_hosts_text(struct text old, unsigned long uid, const struct names *names, char *room,
                     struct hosts_edit *edit) {
  struct block block = {0, 0, 0, 0};
  unsigned char taken[NAMES_MAX] = {0};
  edit->length = 0;
  edit->left_out.count = 0;
  edit->fault = survey(old, uid, names, &block, taken, &edit->line);
  if (edit->fault != HOSTS_FINE) return;
  for (size_t i = 0; i < names->count; i++) {
    if (taken[i]) edit->left_out.each[edit->left_out.count++] = names->each[i];
  }
  int wanted = edit->left_out.count < names->count;
  if (!block.found) {
    block.start = block.end = old.length;
    block.ended_with_newline = old.length == 0 || old.at[old.length - 1] == '\n';
  }
  /* A text that had no newline at its end has none with a block behind it either: so it comes back as it was. */
  size_t at = put(room, 0, (struct text){old.at, block.start});
  if (wanted) {
    if (!block.found && !block.ended_with_newline) at = put_word(room, at, "\n");
    at = put_block(room, at, uid, names, taken);
    if (block.ended_with_newline) at = put_word(room, at, "\n");
  } else if (block.found && !block.ended_with_newline && at > 0) {
    at--;
  }
  edit->length = put(room, at, (struct text){old.at + block.end, old.length - block.end});
}

const char *hosts_fault_words(enum hosts_fault fault) {
  static const char *const words[] = {
      [HOSTS_FINE] = "it is fine",
      [HOSTS_HAS_NUL] = "it has a NUL byte",
      [HOSTS_BAD_MARKER] = "this marker was changed: mend or delete it",
      [HOSTS_NESTED] = "a block begins inside another: put the missing END in front, or delete this BEGIN",
      [HOSTS_TOO_MANY] = "there are more than a thousand blocks: delete those of users who are gone",
      [HOSTS_TWICE] = "this user has a block already: delete one of them",
      [HOSTS_NOT_BEGUN] = "a block ends that did not begin here: delete this END",
      [HOSTS_NOT_ENDED] = "this block does not end: put its END behind it, or delete this BEGIN",
  };
  return words[fault];
}
