# Bash completion for tessera: subcommands and options as its own help lists them, then file names.
_tessera() {
  local current=${COMP_WORDS[COMP_CWORD]} command="" index word
  for ((index = 1; index < COMP_CWORD; ++index)); do
    word=${COMP_WORDS[index]}
    if [[ $word != -* ]] && "${COMP_WORDS[0]}" "$word" --help > /dev/null 2>&1; then
      command=$word
      break
    fi
  done
  COMPREPLY=()
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" ${command:+"$command"} --help 2> /dev/null |
      grep -oE '(^|[ ,])--?[a-z][a-z0-9-]*' | tr -d ' ,')" -- "$current")
  elif [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" --help 2> /dev/null |
      sed -nE 's/^ {2}([a-z]+) .*/\1/p')" -- "$current")
  else
    compopt -o default
  fi
}
complete -F _tessera tessera
