/** `localhostess completion <shell>` -> the lines that a shell needs, which ask us for the rest at each Tab. */
import type { World } from "./world.ts";

export type CompletionShell = "bash" | "zsh" | "fish";

/** So an old script completes what a new version can do. */
const scripts: Readonly<Record<CompletionShell, string>> = {
  // Without compopt, which macOS' bash 3.2 does not have, files are made by compgen.
  bash: `_localhostess() {
  local current="\${COMP_WORDS[COMP_CWORD]}" value meaning
  COMPREPLY=()
  while IFS=$'\\t' read -r value meaning; do
    case "$value" in
      :none) ;;
      :files) compopt -o default 2>/dev/null || COMPREPLY+=($(compgen -f -- "$current")) ;;
      :dirs) compopt -o dirnames 2>/dev/null || COMPREPLY+=($(compgen -d -- "$current")) ;;
      *) COMPREPLY+=("$value") ;;
    esac
  done < <("\${1/#\\~/$HOME}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _localhostess localhostess
`,
  zsh: `#compdef localhostess
_localhostess() {
  local -a candidates
  local value meaning more=
  while IFS=$'\\t' read -r value meaning; do
    case $value in
      :none) ;;
      :files|:dirs) more=$value ;;
      *) candidates+=("\${value//:/\\\\:}:$meaning") ;;
    esac
  done < <("\${~words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
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
  for line in (command $words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
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

export async function completion(shell: CompletionShell, { out }: World): Promise<number> {
  out.write(scripts[shell]);
  return 0;
}
