/* An /etc/hosts that is a mount, and a new text -> the same file with the new text. */
#include "hosts-in-place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "process.h"

#define BEFORE "hosts.before"

/* One call, in the ordinary case: up to a page, it is done whole or not at all, even where the process is killed. */
static int put_at(int file, const char *at, size_t length, size_t offset) {
  while (length) {
    ssize_t put = pwrite(file, at, length, (off_t)offset);
    if (put < 0) return -1;
    at += put;
    offset += (size_t)put;
    length -= (size_t)put;
  }
  return 0;
}

/* For a person to look at, should this machine stop before the new text is complete. */
static int keep_before(int ours, struct text old) {
  unlinkat(ours, BEFORE, 0);
  int file = openat(ours, BEFORE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return -1;
  int failed = put_at(file, old.at, old.length, 0) || fsync(file) || fsync(ours);
  int why = errno;
  close(file);
  if (failed) unlinkat(ours, BEFORE, 0);
  errno = why;
  return failed ? -1 : 0;
}

/* A disk that is full must be found before the first byte is changed. */
static int reserve(int file, size_t length) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < length) {
    errno = EFBIG;
    return -1;
  }
  if (fallocate(file, FALLOC_FL_KEEP_SIZE, 0, (off_t)length) == 0) return 0;
  return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -1;
}

/* Bytes before the first difference stay untouched. A shorter text ends in empty lines until the file is cut. */
static int overwrite(int file, struct text old, struct text new_text) {
  size_t same = 0;
  while (same < old.length && same < new_text.length && old.at[same] == new_text.at[same]) same++;
  size_t padded = new_text.length;
  if (padded < old.length) {
    memset((char *)new_text.at + padded, '\n', old.length - padded);
    padded = old.length;
  }
  if (put_at(file, new_text.at + same, padded - same, same) == 0) {
    return ftruncate(file, (off_t)new_text.length) || fsync(file) ? -1 : 0;
  }
  int why = errno;
  /* The old text had room before. Where even this fails, the copy beside has it. */
  int restored = put_at(file, old.at + same, old.length - same, same) == 0 && ftruncate(file, (off_t)old.length) == 0;
  errno = why;
  return restored ? 1 : -1;
}

int write_in_place(int etc, int ours, const struct stat *its, struct text old, struct text new_text) {
  int file = openat(etc, "hosts", O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat now;
  if (file < 0 || fstat(file, &now) || now.st_dev != its->st_dev || now.st_ino != its->st_ino ||
      now.st_size != its->st_size || reserve(file, new_text.length) || keep_before(ours, old)) {
    int code = say(FAILED, "/etc/hosts, which is a mount: %s; nothing was changed", strerror(errno));
    if (file >= 0) close(file);
    return code;
  }
  /* 1: the old text is there again. */
  int outcome = overwrite(file, old, new_text);
  int why = errno;
  close(file);
  if (outcome < 0) return say(FAILED, "/etc/hosts: %s; its old text is in " TEXT_FROM_BEFORE, strerror(why));
  return outcome ? say(FAILED, "/etc/hosts: %s; nothing was changed", strerror(why)) : DONE;
}

void forget_text_from_before(int ours) { unlinkat(ours, BEFORE, 0); }

int has_text_from_before(int ours) { return faccessat(ours, BEFORE, F_OK, 0) == 0; }
