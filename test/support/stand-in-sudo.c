/* `sudo [-n] [--] <command>` of a machine on which everybody may: with the setuid bit, runs the command as root. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int at = 1;
  while (at < argc && argv[at][0] == '-') {
    int is_end = strcmp(argv[at++], "--") == 0;
    if (is_end) break;
  }
  if (at == argc || setgid(0) != 0 || setuid(0) != 0) return 1;
  if (setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) != 0) return 1;
  /* Not that of the machine's own root. */
  if (setenv("HOME", "/tmp/root", 1) != 0) return 1;
  execvp(argv[at], argv + at);
  return 1;
}
