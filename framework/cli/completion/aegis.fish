# Completes the command line of `aegis` in fish: what `aegis complete` answers.
function __aegis_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answers (command $words[1] complete $words[2..-1] "$current" 2>/dev/null)
    if test "$answers" = :folders
        __fish_complete_directories "$current"
    else
        string join \n -- $answers
    end
end
complete -c aegis -f -a '(__aegis_complete)'
