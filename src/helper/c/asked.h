/* Arguments and a user -> go on, or the exit code of a refusal that was said. */
#ifndef ASKED_H
#define ASKED_H

#include <sys/types.h>

/* Behind every exit code: the caller goes on. */
enum { GO_ON = -1 };

/* `word`: the one thing that the program does, after its version. `more`: arguments that may follow, at most. */
int check_arguments(int argc, char **argv, const char *word, int more);

/* `right`: a word of /etc/localhostess/users. Root needs none. */
int check_user(uid_t uid, const char *right);

#endif
