/* The name of a file in /etc/localhostess -> its bytes, where nobody but root can have written them. */
#include "root-file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int is_roots(const struct stat *its) { return its->st_uid == 0 && (its->st_mode & 022) == 0; }

static enum root_file_state by_error(void) {
  if (errno == ENOENT) return ROOT_FILE_MISSING;
  /* A symbolic link, or a file where a folder should be. */
  return errno == ELOOP || errno == ENOTDIR ? ROOT_FILE_LOOSE : ROOT_FILE_UNREADABLE;
}

int open_root_folder(int ours, enum root_file_state *state) {
  static const char *const steps[] = {"/", "etc", "localhostess"};
  int above = AT_FDCWD;
  for (int i = 0; i < (ours ? 3 : 2); i++) {
    int folder = openat(above, steps[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat its;
    *state = folder < 0 ? by_error() : ROOT_FILE_READ;
    if (above != AT_FDCWD) close(above);
    if (folder < 0) return -1;
    if (fstat(folder, &its) || !is_roots(&its)) {
      *state = ROOT_FILE_LOOSE;
      close(folder);
      return -1;
    }
    above = folder;
  }
  return above;
}

static enum root_file_state read_whole(int file, char *room, struct text *text) {
  struct stat its;
  if (fstat(file, &its)) return ROOT_FILE_UNREADABLE;
  if (!S_ISREG(its.st_mode) || !is_roots(&its)) return ROOT_FILE_LOOSE;
  if (its.st_size > ROOT_FILE_MAX) return ROOT_FILE_TOO_LARGE;
  *text = (struct text){room, 0};
  while (text->length < ROOT_FILE_MAX) {
    ssize_t got = read(file, room + text->length, ROOT_FILE_MAX - text->length);
    if (got < 0) return ROOT_FILE_UNREADABLE;
    if (got == 0) break;
    text->length += (size_t)got;
  }
  return ROOT_FILE_READ;
}

enum root_file_state read_root_file(const char *name, char *room, struct text *text) {
  enum root_file_state state;
  int folder = open_root_folder(1, &state);
  if (folder < 0) return state;
  /* O_NONBLOCK: a FIFO is looked at, not waited for. */
  int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  state = file < 0 ? by_error() : read_whole(file, room, text);
  if (file >= 0) close(file);
  close(folder);
  return state;
}

const char *root_file_words(enum root_file_state state) {
  static const char *const words[] = {
      [ROOT_FILE_READ] = "it was read",
      [ROOT_FILE_MISSING] = "it is missing",
      [ROOT_FILE_LOOSE] = "it, or a folder above it, is not root's alone to write, or is no plain file",
      [ROOT_FILE_TOO_LARGE] = "it is larger than 64 KiB",
      [ROOT_FILE_UNREADABLE] = "it cannot be read",
  };
  return words[state];
}
