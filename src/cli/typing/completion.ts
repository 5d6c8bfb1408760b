/** `localhostess completion <shell>` -> a script for the shell, which calls us at each Tab. */
import { printJson } from "../shared/json-output.ts";
import type { World } from "../shared/world.ts";

export type CompletionShell = "bash" | "zsh" | "fish";

/**
 * Calls the program, so that an old script completes the commands of a new version. A program with a relative path is
 * not called, but the one in PATH: Tab may be pressed in an untrusted folder that has a program of that name.
 */
const scripts: Readonly<Record<CompletionShell, string>> = {
  // Without compopt, which macOS' bash 3.2 does not have, compgen lists the files.
  bash: `_localhostess() {
  local current="\${COMP_WORDS[COMP_CWORD]}" program=localhostess value meaning
  case "$1" in /* | \\~/*) program="\${1/#\\~/$HOME}" ;; esac
  COMPREPLY=()
  while IFS=$'\\t' read -r value meaning; do
    case "$value" in
      :none) ;;
      :files) compopt -o default 2>/dev/null || COMPREPLY+=($(compgen -f -- "$current")) ;;
      :dirs) compopt -o dirnames 2>/dev/null || COMPREPLY+=($(compgen -d -- "$current")) ;;
      *) COMPREPLY+=("$value") ;;
    esac
  done < <(command "$program" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _localhostess localhostess
`,
  zsh: `#compdef localhostess
_localhostess() {
  local -a candidates
  local program=localhostess value meaning more=
  case $words[1] in (/* | \\~/*) program=\${words[1]/#\\~/$HOME} ;; esac
  while IFS=$'\\t' read -r value meaning; do
    case $value in
      :none) ;;
      :files|:dirs) more=$value ;;
      *) candidates+=("\${value//:/\\\\:}:$meaning") ;;
    esac
  done < <(command "$program" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#candidates )) && _describe localhostess candidates
  case $more in
    :files) _files ;;
    :dirs) _files -/ ;;
  esac
}
if [[ $funcstack[1] = _localhostess ]]; then
  _localhostess "$@"
else
  compdef _localhostess localhostess
fi
`,
  fish: `function __localhostess_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l program localhostess
  string match -q -r '^~?/' -- $words[1]; and set program (string replace -r '^~' $HOME -- $words[1])
  for line in (command $program __complete -- $words[2..-1] "$current" 2>/dev/null)
    switch $line
      case ':none'
      case ':files'
        __fish_complete_path "$current"
      case ':dirs'
        __fish_complete_directories "$current"
      case '*'
        echo $line
    end
  end
end
complete -c localhostess -f -a '(__localhostess_complete)'
`,
};

export async function completion(
  shell: CompletionShell,
  { json = false }: { json?: boolean },
  world: World,
): Promise<number> {
  const script = scripts[shell];
  if (json) printJson(world, { shell, script });
  else world.out.write(script);
  return 0;
}
