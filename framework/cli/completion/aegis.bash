# Completes the command line of `aegis` in bash: what `aegis complete` answers.
_aegis() {
  local line=${COMP_LINE:0:COMP_POINT} words current value rest
  read -ra words <<<"$line"
  [[ $line != *[[:space:]] ]] || words+=("")
  current=${words[-1]}
  # Bash takes what follows a : or = for a word of its own, and inserts in its place only.
  local cut="" breaks=${COMP_WORDBREAKS//[^:=]/}
  [[ -z $breaks ]] || cut=${current%"${current##*["$breaks"]}"}
  COMPREPLY=()
  while IFS=$'\t' read -r value rest; do
    if [[ $value == :folders ]]; then
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      compopt -o filenames 2>/dev/null
    else
      [[ $value != *[:=] ]] || compopt -o nospace 2>/dev/null
      COMPREPLY+=("${value#"$cut"}")
    fi
  done < <("$1" complete "${words[@]:1}" 2>/dev/null)
}
complete -F _aegis aegis
