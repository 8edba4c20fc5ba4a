# fish completion for anklume: the program itself says what could stand there.

# Files or directories ($argv[1]) that begin as the word does, behind an option's
# "=": what fish offers where it knows no command.
function __anklume_paths
    set -l word (commandline -ct)
    set -l option (string match -r -- '^--[^=]*=' $word)
    set -l path (string replace -r -- '^--[^=]*=' '' $word)
    set -l found (complete -C "__anklume_no_command $path" | string replace -r '\t.*' '')
    if test $argv[1] = :dir
        set found (string match -- '*/' $found)
    end
    printf '%s\n' "$option"$found
end

function __anklume_complete
    set -l typed (commandline -opc)
    set -e typed[1]
    for i in (seq (count $typed))
        if string match -q -- '~/*' $typed[$i]
            set typed[$i] $HOME(string sub -s 2 -- $typed[$i])
        end
    end
    # What has an open quote cannot be read.
    set -l word (string unescape -- (commandline -ct))
    or set word (commandline -ct)
    for line in (command anklume complete -- $typed "$word" 2>/dev/null)
        switch $line
            case :file :dir
                __anklume_paths $line
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c anklume -f -a '(__anklume_complete)'
