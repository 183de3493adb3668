# The completion scripts: commands, options and values that bash offers are those of --help; zsh and fish read theirs.
. test/e2e/begin.inc
command -v bash >/dev/null || {
    echo "no bash"
    exit 77
}
for shell in bash zsh fish; do
    "$depthprune" completion $shell >"$scratch/$shell" || bad "no script for $shell"
    command -v $shell >/dev/null && { $shell -n "$scratch/$shell" || bad "$shell does not read its script"; }
done
# offers WORDS...: what bash offers for the last of them.
offers() {
    bash -c '. "$0"
        COMP_WORDS=(depthprune "$@") COMP_CWORD=$#
        _depthprune
        printf "%s\n" "${COMPREPLY[@]}"' "$scratch/bash" "$@" | sort
}
wants() {
    expected=$1
    shift
    found=$(offers "$@" | tr '\n' ' ')
    [ "$found" = "$expected" ] || bad "depthprune $*: offers '$found', not '$expected'"
}
wants "plan prune " p
wants "gguf hf " prune model --to ''
wants "openblas " score --gemm o
wants "A B " eval model --mode ''
wants "--window " eval --wi
wants "test/unit " score test/uni
wants "test/golden " score model -o test/gold
for command in score prune eval; do
    offers $command - >"$scratch/offered"
    "$depthprune" $command --help | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -e '--[a-z-]+' | sort -u >"$scratch/help"
    diff "$scratch/help" "$scratch/offered" || bad "$command: the options of --help (<) and of bash (>) differ"
    for option in $(cat "$scratch/help"); do
        grep -q -e "--${option#--}\[" "$scratch/zsh" && grep -qe " -l ${option#--} " "$scratch/fish" || bad "$option is missing"
    done
done
expect 2 completion csh
says "not for 'csh'"
finish
