/** Words for the session of another machine's `sh` -> what it prints of the servers there. Text only. */

/**
 * POSIX sh, with awk, cat, grep, id, ls, ps and tr; nothing is written there. Each line of an answer begins with the
 * `nonce`, so that what a shell's start files print is told apart. An answer is one of:
 *
 *     <nonce> begin <n>           at once: a sign of life
 *     <nonce> same <n>            the sockets that listen are those of the last answer
 *     <nonce> json <n> <text>     `localhostess ls --json` there, in one line
 *     <nonce> clock <boot> <hz>   seconds since the Unix epoch at boot, and the unit of times below
 *     <nonce> at <address> <port> <pid> <parent> <group> <ticks> TAB name TAB NAME TAB PORT TAB folder TAB command
 *     <nonce> none <n>            nothing there tells which sockets listen
 *     <nonce> end <n>             the answer is complete
 *
 * Only processes of the user that ssh logs in as, also where that is root. An address is hex as in /proc/net/tcp, or as
 * lsof prints it. `ls -n` prints a descriptor's owner, which is root where the kernel keeps a process from its user.
 */
const script = String.raw`
LC_ALL=C
export LC_ALL
PATH=$PATH:$HOME/.bun/bin:$HOME/.local/bin:$HOME/.npm-global/bin:/usr/local/bin:/opt/homebrew/bin
uid=$(id -u)
last=
looks=0
limit=
if command -v timeout >/dev/null 2>&1; then limit='timeout 10'
elif command -v perl >/dev/null 2>&1; then limit='perl -e alarm(shift);exec(@ARGV) 10'
fi
if [ -r /proc/net/tcp ]; then kind=proc
elif command -v lsof >/dev/null 2>&1; then kind=lsof
else kind=none
fi
listening() {
  case $kind in
  proc) cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { print $2, $10 }' ;;
  lsof) lsof -nP -a -u "$uid" -iTCP -sTCP:LISTEN -F pn 2>/dev/null ;;
  esac
}
owned() {
  { printf '%s\n' "$now"; echo --; ls -ln /proc/[0-9]*/fd 2>/dev/null; } | awk -v uid="$uid" '
    !fds { if ($1 == "--") fds = 1; else place[$2] = $1; next }
    /^\/proc\/[0-9]+\/fd:$/ { split($0, part, "/"); pid = part[3]; next }
    $3 == uid && match($0, /socket:\[[0-9]+\]$/) {
      inode = substr($0, RSTART + 8, RLENGTH - 9)
      if (!(inode in place) || (pid, inode) in seen || count++ >= 1000) next
      seen[pid, inode] = 1
      split(place[inode], at, ":")
      print pid, at[1], at[2]
    }'
}
environ() {
  tr '\n\000' '\001\n' <"/proc/$1/environ"
  echo
}
described() {
  before=
  while read -r pid address port; do
    if [ "$pid" != "$before" ]; then
      before=$pid
      read -r stat <"/proc/$pid/stat" || continue
      set -- ${"$"}{stat##*) }
      printf '\001p %s %s %s %s\n' "$pid" "$2" "$3" "${"$"}{20}"
      environ "$pid"
      if ! grep -q PATH= "/proc/$pid/environ"; then
        ancestor=$2
        depth=0
        while [ "$ancestor" -gt 1 ] && [ "$depth" -lt 16 ]; do
          environ "$ancestor"
          read -r stat <"/proc/$ancestor/stat" || break
          set -- ${"$"}{stat##*) }
          ancestor=$2
          depth=$((depth + 1))
        done
      fi
      printf '\001d '
      ls -ld "/proc/$pid/cwd"
      printf '\001c '
      tr '\n\000' '\001 ' <"/proc/$pid/cmdline"
      echo
    fi
    printf '\001l %s %s\n' "$address" "$port"
  done 2>/dev/null | awk -v nonce="$nonce" '
    function clean(text) { gsub(/[^ -~]/, "?", text); return substr(text, 1, 500) }
    /^\001p / { process = $2 " " $3 " " $4 " " $5; delete value; next }
    /^\001d / { folder = ""; at = index($0, " -> "); if (at) folder = substr($0, at + 4); next }
    /^\001c / { command = substr($0, 4); next }
    /^\001l / {
      printf "%s at %s %s %s\t%s\t%s\t%s\t%s\t%s\n", nonce, $2, $3, process,
        clean(value["LOCALHOSTESS_NAME"]), clean(value["NAME"]), clean(value["PORT"]), clean(folder), clean(command)
      next
    }
    /^(LOCALHOSTESS_NAME|NAME|PORT)=/ {
      at = index($0, "=")
      key = substr($0, 1, at - 1)
      if (!(key in value)) value[key] = substr($0, at + 1)
    }'
}
in_line() {
  printf '%s' "$1" | tr '\n\t' '  '
}
by_lsof() {
  printf '%s\n' "$now" | while read -r line; do
    case $line in
    p*)
      pid=${"$"}{line#p}
      stat=$(ps -o ppid= -o pgid= -p "$pid")
      command=$(in_line "$(ps -ww -o command= -p "$pid")")
      words=$(in_line "$(ps -E -ww -o command= -p "$pid")")
      ;;
    n*)
      printf '%s\n%s\n%s\n%s\n' "${"$"}{line#n}" "$pid $stat" "$command" "$words" | awk -v nonce="$nonce" '
        function clean(text) { gsub(/[^ -~]/, "?", text); return substr(text, 1, 500) }
        function valued(key) {
          if (!match(words, " " key "=[^ ]*")) return ""
          return substr(words, RSTART + length(key) + 2, RLENGTH - length(key) - 2)
        }
        NR == 1 { at = match($0, /:[0-9]+$/); address = substr($0, 1, at - 1); port = substr($0, at + 1) }
        NR == 2 { process = $1 " " $2 " " $3 }
        NR == 3 { command = $0 }
        NR == 4 {
          words = substr($0, length(command) + 1)
          printf "%s at %s %s %s 0\t%s\t%s\t%s\t\t%s\n", nonce, address, port, process,
            clean(valued("LOCALHOSTESS_NAME")), clean(valued("NAME")), clean(valued("PORT")), clean(command)
        }'
      ;;
    esac
  done 2>/dev/null
}
by_localhostess() {
  command -v localhostess >/dev/null 2>&1 || return 1
  json=$(LOCALHOSTESS_REMOTE=1 $limit localhostess ls --json 2>/dev/null) || return 1
  printf '%s json %s ' "$nonce" "$1"
  printf '%s' "$json" | tr '\n' ' '
  echo
}
look() {
  printf '%s begin %s\n' "$nonce" "$1"
  now=$(listening)
  looks=$((looks + 1))
  if [ "$2" = if-changed ] && [ "$now" = "$last" ] && [ $((looks % 8)) -ne 0 ]; then
    printf '%s same %s\n' "$nonce" "$1"
    return
  fi
  last=$now
  if [ "$3" = alone ] || ! by_localhostess "$1"; then
    case $kind in
    proc)
      boot=$(awk '$1 == "btime" { print $2 }' /proc/stat)
      printf '%s clock %s %s\n' "$nonce" "${"$"}{boot:-0}" "$(getconf CLK_TCK 2>/dev/null || echo 100)"
      owned | described
      ;;
    lsof) by_lsof ;;
    none) printf '%s none %s\n' "$nonce" "$1" ;;
    esac
  fi
  printf '%s end %s\n' "$nonce" "$1"
} </dev/null
`;

/** To be sent once. `nonce`: letters and digits. */
export function firstWords(nonce: string): string {
  return `nonce=${nonce}\n${script}`;
}

/**
 * To be sent for each look. `whole`: also where no socket has come or gone since the last one. `alone`: a localhostess
 * there is not asked.
 */
export function lookWords(
  number: number,
  { whole, alone = false }: { whole: boolean; alone?: boolean },
): string {
  return `look ${number} ${whole ? "whole" : "if-changed"}${alone ? " alone" : ""}\n`;
}
