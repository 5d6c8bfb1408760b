/* Text of /etc/localhostess/users -> whether a user may. Pure. */
#ifndef USERS_H
#define USERS_H

#include "text.h"

/* `right`: "ports" or "hosts". A line that is not understood, or that was cut off before its newline, allows nothing. */
int users_allow(struct text users, unsigned long uid, const char *right);

#endif
