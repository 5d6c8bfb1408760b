/* Many hosts files on stdin -> what src/helper/c/hosts-text.c makes of each, for a test that compares. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts-text.h"

/* A line "<uid> <count> <length>", then the names, one a line, then the text's bytes and a newline. */
int main(void) {
  static struct names names;
  static struct hosts_edit edit;
  static char own[NAMES_MAX][256];
  unsigned long uid;
  size_t count, length;
  while (scanf("%lu %zu %zu", &uid, &count, &length) == 3) {
    if (count > NAMES_MAX) return 1;
    names.count = count;
    for (size_t i = 0; i < count; i++) {
      if (scanf("%255s", own[i]) != 1) return 1;
      names.each[i] = (struct text){own[i], strlen(own[i])};
    }
    getchar();
    char *old = malloc(length + 1), *room = malloc(length + BLOCK_MAX);
    if (!old || !room || fread(old, 1, length, stdin) != length) return 1;
    edit.line = 0;
    edit_hosts_text((struct text){old, length}, uid, &names, room, &edit);
    if (edit.fault == HOSTS_FINE) {
      printf("text %zu %zu\n", edit.length, edit.left_out.count);
      fwrite(room, 1, edit.length, stdout);
    } else {
      printf("torn %zu %s", edit.fault == HOSTS_HAS_NUL ? 1 : edit.line, hosts_fault_words(edit.fault));
    }
    putchar('\n');
    free(old);
    free(room);
  }
  return 0;
}
