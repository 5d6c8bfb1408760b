/* Text of /etc/localhostess/users -> whether a user may. Pure. */
#include "users.h"

#include <string.h>

int users_allow(struct text users, unsigned long uid, const char *right) {
  struct text line;
  int ended;
  while (next_line(&users, &line, &ended)) {
    const char *comment = memchr(line.at, '#', line.length);
    if (comment) line.length = (size_t)(comment - line.at);
    struct text word;
    unsigned long its;
    /* "1000" that was cut off is "10", which is somebody else. */
    if (!ended || !next_word(&line, &word) || !text_uid(word, &its) || its != uid) continue;
    while (next_word(&line, &word)) {
      if (text_is(word, right)) return 1;
    }
  }
  return 0;
}
