/* The name of a file in /etc/localhostess -> its bytes, where nobody but root can have written them. */
#ifndef ROOT_FILE_H
#define ROOT_FILE_H

#include <sys/stat.h>

#include "text.h"

enum root_file_state { ROOT_FILE_READ, ROOT_FILE_MISSING, ROOT_FILE_LOOSE, ROOT_FILE_TOO_LARGE, ROOT_FILE_UNREADABLE };

/* More than a thousand users or domains. */
enum { ROOT_FILE_MAX = 64 * 1024 };

/* `room` holds ROOT_FILE_MAX bytes. */
enum root_file_state read_root_file(const char *name, char *room, struct text *text);

/* Descriptor of /etc or, with `ours`, of /etc/localhostess; -1 where a folder of the path is not root's alone. */
int open_root_folder(int ours, enum root_file_state *state);

/* Root's, and neither its group nor others can write it. */
int is_roots(const struct stat *its);

/* A sentence for each state. */
const char *root_file_words(enum root_file_state state);

#endif
