/* A user and names -> /etc/hosts with that user's block, whole at every moment. */
#ifndef HOSTS_FILE_H
#define HOSTS_FILE_H

#include <sys/types.h>

#include "names.h"

/* Returns an exit code; what failed has been said. `left_out`: as edit_hosts_text has it. */
int write_hosts_file(uid_t uid, const struct names *names, struct names *left_out);

#endif
