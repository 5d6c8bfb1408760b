/* Bytes that somebody else wrote -> lines and words of them, never past their end. */
#include "text.h"

#include <string.h>

int next_line(struct text *rest, struct text *line, int *ended) {
  if (rest->length == 0) return 0;
  const char *end = memchr(rest->at, '\n', rest->length);
  size_t length = end ? (size_t)(end - rest->at) : rest->length;
  *line = (struct text){rest->at, length};
  *ended = end != NULL;
  rest->at += length + (end ? 1 : 0);
  rest->length -= length + (end ? 1 : 0);
  return 1;
}

static int is_blank(char byte) { return byte == ' ' || byte == '\t'; }

int next_word(struct text *rest, struct text *word) {
  size_t start = 0;
  while (start < rest->length && is_blank(rest->at[start])) start++;
  size_t end = start;
  while (end < rest->length && !is_blank(rest->at[end])) end++;
  *word = (struct text){rest->at + start, end - start};
  *rest = (struct text){rest->at + end, rest->length - end};
  return end > start;
}

int text_is(struct text text, const char *word) {
  return text.length == strlen(word) && memcmp(text.at, word, text.length) == 0;
}

int text_begins(struct text text, const char *word) {
  size_t length = strlen(word);
  return text.length >= length && memcmp(text.at, word, length) == 0;
}

int text_order(struct text one, struct text other) {
  size_t shorter = one.length < other.length ? one.length : other.length;
  int order = shorter ? memcmp(one.at, other.at, shorter) : 0;
  if (order) return order;
  return one.length < other.length ? -1 : one.length > other.length;
}

int text_uid(struct text text, unsigned long *uid) {
  if (text.length == 0 || text.length > 10) return 0;
  if (text.at[0] == '0' && text.length > 1) return 0;
  unsigned long long value = 0;
  for (size_t i = 0; i < text.length; i++) {
    if (text.at[i] < '0' || text.at[i] > '9') return 0;
    value = value * 10 + (unsigned long long)(text.at[i] - '0');
  }
  /* The last number means "no user" to the kernel. */
  if (value >= 4294967295ULL) return 0;
  *uid = (unsigned long)value;
  return 1;
}
