/* An /etc/hosts that is a mount, and a new text -> the same file with the new text. */
#ifndef HOSTS_IN_PLACE_H
#define HOSTS_IN_PLACE_H

#include <sys/stat.h>

#include "text.h"

#define TEXT_FROM_BEFORE "/etc/localhostess/hosts.before"

/*
 * `new_text` has room behind it for as many bytes as the old text has. `its`: what the old text was read from.
 * Returns an exit code; what failed has been said.
 */
int write_in_place(int etc, int ours, const struct stat *its, struct text old, struct text new_text);

/* Whether a run was killed while it wrote in place: the old text is then kept beside. */
int has_text_from_before(int ours);

/* Once the file is known to be whole. */
void forget_text_from_before(int ours);

#endif
