# SPDX-License-Identifier: Apache-2.0
# bash completion for cellpost(1): verbs, and the options that each verb's own --help names.
_cellpost()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb= i
    local verbs="send show list cancel release drop inbox modems sims route quote balance ledger enroll ussd top events key optout health tariffs segments pdu"

    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --socket) ((i++)) ;;
        -*) ;;
        *) verb=${COMP_WORDS[i]}; break ;;
        esac
    done
    case $previous in
    --socket|--file|--ca) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --state|-s) mapfile -t COMPREPLY < <(compgen -W "scheduled queued sending sent delivered undelivered expired rejected failed unknown held cancelled" -- "$current"); return ;;
    --encoding) mapfile -t COMPREPLY < <(compgen -W "auto gsm7 ucs2" -- "$current"); return ;;
    --patience) mapfile -t COMPREPLY < <(compgen -W "0 10m 1h 1d" -- "$current"); return ;;
    --scope) mapfile -t COMPREPLY < <(compgen -W "send read inbox admin" -- "$current"); return ;;
    esac
    if [[ -z $verb ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$verbs --socket --json --utc --help --version" -- "$current")
    elif [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" "$verb" --help 2>/dev/null | grep -oE -- '--[a-z][a-z0-9-]+')" -- "$current")
    elif [[ $verb == key ]]; then
        mapfile -t COMPREPLY < <(compgen -W "add list remove" -- "$current")
    elif [[ $verb == route ]]; then
        mapfile -t COMPREPLY < <(compgen -W "explain" -- "$current")
    elif [[ $verb == tariffs && $previous == tariffs ]]; then
        mapfile -t COMPREPLY < <(compgen -W "check list show" -- "$current")
    elif [[ $verb == tariffs ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    elif [[ $verb == optout ]]; then
        mapfile -t COMPREPLY < <(compgen -W "list show add remove" -- "$current")
    elif [[ $verb == pdu ]]; then
        mapfile -t COMPREPLY < <(compgen -W "decode encode" -- "$current")
    fi
}
complete -F _cellpost cellpost
