/* Arguments and a user -> go on, or the exit code of a refusal that was said. */
#include "asked.h"

#include <string.h>

#include "process.h"
#include "root-file.h"
#include "users.h"

int check_arguments(int argc, char **argv, const char *word, int more) {
  if (argc == 2 && strcmp(argv[1], "--version") == 0) return say_version(DONE);
  if (argc < 2) return say(REFUSED, "usage: %s %s %s, called by localhostess; or --version", program_name, VERSION, word);
  /* Before anything else: a request of another version may have a form that is not known here. */
  if (strcmp(argv[1], VERSION) != 0) return say_version(OTHER_VERSION);
  if (argc < 3 || strcmp(argv[2], word) != 0) return say(REFUSED, "the only request is %s", word);
  if (argc > 3 + more) return say(REFUSED, "too many arguments");
  return GO_ON;
}

int check_user(uid_t uid, const char *right) {
  static char room[ROOT_FILE_MAX];
  struct text users;
  if (uid == 0) return GO_ON;
  enum root_file_state state = read_root_file("users", room, &users);
  if (state != ROOT_FILE_READ) {
    return say(REFUSED, "/etc/localhostess/users allows nobody: %s. To mend that: localhostess setup",
               root_file_words(state));
  }
  if (users_allow(users, uid, right)) return GO_ON;
  return say(REFUSED, "/etc/localhostess/users does not allow user %lu %s. To change that: localhostess setup --%s",
             (unsigned long)uid, right, right);
}
