/*
 * Words as `uid=1000 limit=7:0:0 close=0 -- program word word` -> that program, as a hostile caller starts it. Words
 * are done in their order. A small program, since to fork a large one for each attack costs more than the attack.
 */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

extern char **environ;

static void must(int done, const char *word) {
  if (done) return;
  perror(word);
  _exit(99);
}

static void put(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CREAT, 0644);
  must(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text), path);
  close(file);
}

/* A user and mount namespace of the caller's own, with an /etc in which they may do everything. */
static void own_namespace(unsigned inside) {
  char map[64], users[128];
  uid_t uid = getuid();
  /* A process that changed its user may not write its own uid_map. */
  prctl(PR_SET_DUMPABLE, 1);
  must(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0, "unshare");
  snprintf(map, sizeof map, "%u %u 1", inside, uid);
  put("/proc/self/setgroups", "deny");
  put("/proc/self/uid_map", map);
  put("/proc/self/gid_map", map);
  must(mount("tmpfs", "/etc", "tmpfs", 0, "mode=755") == 0 && mkdir("/etc/localhostess", 0755) == 0, "mount");
  snprintf(users, sizeof users, "%u ports hosts\n%u ports hosts\n", uid, inside);
  put("/etc/localhostess/users", users);
  put("/etc/hosts", "127.0.0.1 localhost\n");
}

static void deleted_folder(void) {
  char folder[] = "/mnt/gone-XXXXXX";
  must(mkdtemp(folder) && chdir(folder) == 0 && rmdir(folder) == 0, "folder");
}

static void all_signals(const char *how) {
  sigset_t all;
  sigfillset(&all);
  if (strcmp(how, "blocked") == 0) sigprocmask(SIG_BLOCK, &all, NULL);
  for (int number = 1; number < 65 && strcmp(how, "ignored") == 0; number++) signal(number, SIG_IGN);
}

static void become(unsigned uid) { must(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0, "uid"); }

static void limit(const char *value) {
  int resource;
  long soft, hard;
  must(sscanf(value, "%d:%ld:%ld", &resource, &soft, &hard) == 3, "limit");
  struct rlimit its = {(rlim_t)soft, (rlim_t)hard};
  must(setrlimit(resource, &its) == 0, "setrlimit");
}

static void do_word(const char *word, const char *value) {
  int number = atoi(value);
  gid_t group = (gid_t)number;
  if (strcmp(word, "uid") == 0) become((unsigned)number);
  else if (strcmp(word, "groups") == 0) must(setgroups(*value ? 1 : 0, &group) == 0, "setgroups");
  else if (strcmp(word, "umask") == 0) umask((mode_t)number);
  else if (strcmp(word, "cwd") == 0) deleted_folder();
  else if (strcmp(word, "signals") == 0) all_signals(value);
  else if (strcmp(word, "namespace") == 0) own_namespace((unsigned)number);
  else if (strcmp(word, "limit") == 0) limit(value);
  else if (strcmp(word, "close") == 0) close(number);
  else if (strcmp(word, "nice") == 0) must(nice(number) != -1, "nice");
  else if (strcmp(word, "privileges") == 0) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  else if (strcmp(word, "stop") == 0) raise(SIGSTOP);
  else if (strcmp(word, "held") == 0) for (int i = 4; i < number; i++) dup2(0, i);
  else if (strcmp(word, "alarm") == 0) setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {number, 0}}, NULL);
  else must(0, word);
}

int main(int argc, char **argv) {
  int at = 1;
  for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
    char *value = strchr(argv[at], '=');
    must(value != NULL, argv[at]);
    *value = 0;
    do_word(argv[at], value + 1);
  }
  if (at + 1 < argc) execve(argv[at + 1], argv + at + 2, environ);
  _exit(98);
}
