# bash completion for kontor; what there is to complete, kontor says itself from its table of commands.
_kontor() {
    local IFS=$'\n'
    mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    case ${COMPREPLY[0]-} in
    :file)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]#=}")
        ;;
    :dir)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]#=}")
        ;;
    esac
}
complete -F _kontor kontor
