/* A process as its caller left it -> one whose environment, limits, signals and descriptors do no harm. */
#ifndef PROCESS_H
#define PROCESS_H

/* docs/helper.md, "Exit codes". */
enum { DONE = 0, FAILED = 1, REFUSED = 2, OTHER_VERSION = 3 };

/* Number of the capability in capabilities(7); NO_CAPABILITY stands for none. */
enum { NO_CAPABILITY = -1, NET_BIND_SERVICE = 10 };

/* First of all: `kept` is the last inherited descriptor that stays open. Ends the process where that cannot be done. */
void settle(int kept);

/* Gives back every capability but one, for good. Ends the process where the kernel does not do that. */
void keep_capability(int capability);

/*
 * From now on no key of a terminal ends or stops the process, and it ends by itself after so many seconds, whatever it
 * waits for: others wait for what it holds.
 */
void hold_on(unsigned seconds);

/* One line on stderr, behind the program's name, in which bytes that a terminal would obey are '?'. Returns `code`. */
int say(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Version alone on stdout. Returns `code`. */
int say_version(int code);

extern const char program_name[];

#endif
