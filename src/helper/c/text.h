/* Bytes that somebody else wrote -> lines and words of them, never past their end. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

struct text {
  const char *at;
  size_t length;
};

/* The next line, without its newline, is taken off `rest`. 0: there is none. `ended`: whether it had a newline. */
int next_line(struct text *rest, struct text *line, int *ended);

/* The next word between spaces and tabs is taken off `rest`. 0: there is none. */
int next_word(struct text *rest, struct text *word);

int text_is(struct text text, const char *word);
int text_begins(struct text text, const char *word);

/* Below 0, 0, above 0, by bytes: a shorter text comes before a longer one that it begins. */
int text_order(struct text one, struct text other);

/* A user's number, as it is written without zeros in front. 0: it is none. */
int text_uid(struct text text, unsigned long *uid);

#endif
