/* A user and names -> /etc/hosts with that user's block, whole at every moment. */
#include "hosts-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "hosts-in-place.h"
#include "hosts-text.h"
#include "process.h"
#include "root-file.h"

/* The longest lists of blocked advertisers have some 10 MiB. */
enum { HOSTS_MAX = 16 * 1024 * 1024 };
/* Twenty writers at once need a fraction of this; somebody who stopped while holding the lock is not waited for. */
enum { LOCK_SECONDS = 10 };
/* Times that somebody else may change the file while we do. */
enum { TRIES = 5 };

/* One name is enough: the lock lets one writer in, and each removes what one that was killed left. */
#define TEMPORARY ".hosts.localhostess"

/* Behind every exit code. CHANGED: somebody else wrote the file meanwhile. */
enum { CHANGED = -2, GOT_LOCK = -3 };

struct reading {
  struct stat its;
  struct text old;
  char *room;
  size_t room_size;
};

static int take_lock(int ours) {
  int lock = openat(ours, "hosts.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  if (lock < 0) return say(FAILED, "/etc/localhostess/hosts.lock: %s", strerror(errno));
  const struct timespec pause = {0, 10 * 1000 * 1000};
  for (int waits = 0; flock(lock, LOCK_EX | LOCK_NB); waits++) {
    if (errno != EWOULDBLOCK) return say(FAILED, "/etc/localhostess/hosts.lock: %s", strerror(errno));
    if (waits == LOCK_SECONDS * 100) {
      return say(FAILED, "another localhostess-hosts has held /etc/localhostess/hosts.lock for %d s", LOCK_SECONDS);
    }
    nanosleep(&pause, NULL);
  }
  return GOT_LOCK;
}

static int same_file(const struct stat *one, const struct stat *other) {
  return one->st_dev == other->st_dev && one->st_ino == other->st_ino && one->st_size == other->st_size &&
         one->st_mtim.tv_sec == other->st_mtim.tv_sec && one->st_mtim.tv_nsec == other->st_mtim.tv_nsec &&
         one->st_ctim.tv_sec == other->st_ctim.tv_sec && one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

static int check_file(const struct stat *its) {
  if (!S_ISREG(its->st_mode)) return say(FAILED, "/etc/hosts is no plain file; nothing was changed");
  if (its->st_uid != 0 || its->st_gid != 0) {
    return say(FAILED, "/etc/hosts is not root's; nothing was changed. To mend that: chown 0:0 /etc/hosts");
  }
  if (its->st_size > HOSTS_MAX) return say(FAILED, "/etc/hosts is larger than 16 MiB; nothing was changed");
  return DONE;
}

/* The old text stands at the start of the room, and behind it is room for the new one. */
static int read_hosts(int file, struct reading *reading) {
  if (fstat(file, &reading->its)) return say(FAILED, "/etc/hosts: %s", strerror(errno));
  int code = check_file(&reading->its);
  if (code != DONE) return code;
  size_t size = (size_t)reading->its.st_size;
  reading->room_size = 2 * size + BLOCK_MAX;
  reading->room = mmap(NULL, reading->room_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (reading->room == MAP_FAILED) return say(FAILED, "no memory for /etc/hosts: %s", strerror(errno));
  size_t length = 0;
  while (length <= size) {
    /* One byte more than the size: a file that grew is seen. */
    ssize_t got = read(file, reading->room + length, size - length + 1);
    if (got < 0) return say(FAILED, "/etc/hosts cannot be read: %s; nothing was changed", strerror(errno));
    if (got == 0) break;
    length += (size_t)got;
  }
  reading->old = (struct text){reading->room, size};
  return length == size ? DONE : CHANGED;
}

/* Attributes as SELinux's label. Some are set by the system itself, and then they are the same already. */
static int keep_attributes(int from, int to) {
  static char names[64 * 1024], value[64 * 1024], now[64 * 1024];
  ssize_t length = flistxattr(from, names, sizeof names);
  if (length < 0) return errno == ENOTSUP ? 0 : -1;
  for (char *name = names; name < names + length; name += strlen(name) + 1) {
    ssize_t size = fgetxattr(from, name, value, sizeof value);
    if (size < 0) return -1;
    if (fgetxattr(to, name, now, sizeof now) == size && memcmp(now, value, (size_t)size) == 0) continue;
    if (fsetxattr(to, name, value, (size_t)size, 0)) return -1;
  }
  return 0;
}

static int fill(int file, struct text text) {
  while (text.length) {
    ssize_t put = write(file, text.at, text.length);
    if (put < 0) return -1;
    text.at += put;
    text.length -= (size_t)put;
  }
  return 0;
}

/* The new text beside the old, complete on the disk. */
static int write_beside(int etc, int old, const struct stat *its, struct text text) {
  int file = openat(etc, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return say(FAILED, "/etc/" TEMPORARY ": %s; nothing was changed", strerror(errno));
  const char *step = NULL;
  if (fill(file, text)) step = "writing";
  else if (keep_attributes(old, file)) step = "keeping the attributes of /etc/hosts";
  else if (fchmod(file, its->st_mode & 07777)) step = "keeping the mode of /etc/hosts";
  else if (fsync(file)) step = "writing";
  int code = step ? say(FAILED, "%s: %s; nothing was changed", step, strerror(errno)) : DONE;
  close(file);
  return code;
}

static int replace(int etc, int ours, int old, const struct reading *reading, struct text text) {
  int code = write_beside(etc, old, &reading->its, text);
  if (code != DONE) return code;
  struct stat now;
  if (fstatat(etc, "hosts", &now, AT_SYMLINK_NOFOLLOW) || !same_file(&now, &reading->its)) return CHANGED;
  if (renameat(etc, TEMPORARY, etc, "hosts") == 0) {
    return fsync(etc) ? say(FAILED, "/etc: %s", strerror(errno)) : DONE;
  }
  /* Containers mount the file itself: nothing can take its place. */
  if (errno == EBUSY || errno == EXDEV) return write_in_place(etc, ours, &reading->its, reading->old, text);
  return say(FAILED, "/etc/hosts cannot be replaced: %s%s; nothing was changed", strerror(errno),
             errno == EPERM ? " (lsattr /etc/hosts shows whether it is immutable)" : "");
}

static int open_hosts(int etc) {
  int file = openat(etc, "hosts", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (file >= 0) return file;
  if (errno == ELOOP) {
    say(FAILED, "/etc/hosts is a symbolic link, so another program makes it: add the names where that has them");
  } else {
    say(FAILED, "/etc/hosts cannot be read: %s; nothing was changed", strerror(errno));
  }
  return -1;
}

static int edit_once(int etc, int ours, uid_t uid, const struct names *names, struct names *left_out) {
  static struct hosts_edit edit;
  struct reading reading = {.room = MAP_FAILED};
  int file = open_hosts(etc);
  if (file < 0) return FAILED;
  int code = read_hosts(file, &reading);
  if (code == DONE) {
    char *room = reading.room + reading.old.length;
    edit_hosts_text(reading.old, uid, names, room, &edit);
    struct text text = {room, edit.length};
    *left_out = edit.left_out;
    if (edit.fault != HOSTS_FINE) {
      code = say(FAILED, "/etc/hosts line %zu: %s; nothing was changed%s", edit.line, hosts_fault_words(edit.fault),
                 has_text_from_before(ours) ? ". " TEXT_FROM_BEFORE " has the text from before a cut" : "");
    } else if (text_order(text, reading.old) != 0) {
      code = replace(etc, ours, file, &reading, text);
    }
  }
  if (reading.room != MAP_FAILED) munmap(reading.room, reading.room_size);
  close(file);
  /* Nothing is there after a rename; a rest that stays is removed by the next run. */
  unlinkat(etc, TEMPORARY, 0);
  return code;
}

int write_hosts_file(uid_t uid, const struct names *names, struct names *left_out) {
  enum root_file_state state;
  int ours = open_root_folder(1, &state);
  int etc = ours < 0 ? -1 : open_root_folder(0, &state);
  if (etc < 0) {
    return say(FAILED, "/etc/localhostess: %s. To mend that: localhostess setup --hosts", root_file_words(state));
  }
  int code = take_lock(ours);
  if (code != GOT_LOCK) return code;
  unlinkat(etc, TEMPORARY, 0);
  code = CHANGED;
  for (int tries = 0; code == CHANGED && tries < TRIES; tries++) code = edit_once(etc, ours, uid, names, left_out);
  if (code == DONE) forget_text_from_before(ours);
  if (code == CHANGED) return say(FAILED, "/etc/hosts is being changed by others all the time; nothing was changed");
  return code;
}
