# Where output may go is decided before any work, and what cannot be done is said by --dry-run, too.
. test/e2e/begin.inc
need_tiny
model=$scratch/model
cp -r "$tiny/model" "$model"
chmod -R u+w "$model"
mkdir "$model/inner" "$scratch/empty"
ids=$tiny/calib_ids.json

# refused WORDS ARGUMENTS...: status 1, one line with WORDS, and nothing new.
refused() {
    words=$1
    shift
    expect 1 "$@"
    says "$words"
}
early() { # scoring would take longer than opening a model
    refused "$1" score "$model" --criterion mag --json "$2" "$3"
    [ -s "$scratch/out" ] && bad "$2 $3: work was done first"
}
for option in -o --plot; do
    early "No such file" $option "$scratch/nowhere/a.svg"
    early "part of the model" $option "$model/a.svg"
    early "part of the model" $option "$model/inner/a.svg"
done
expect 1 score "$model" --criterion mag -o /dev/null --force
says "is not a plain file"
ln -s "$scratch/aim.json" "$scratch/link.json"
early "is not a plain file" -o "$scratch/link.json"
[ -L "$scratch/link.json" ] && [ ! -e "$scratch/aim.json" ] || bad "a link was replaced or followed"
refused "inside the model" convert "$model" -o "$model/inner/new" --force
if [ "$(id -u)" != 0 ]; then
    chmod a-w "$scratch/empty"
    early "Permission denied" -o "$scratch/empty/a.json"
    refused "Permission denied" prune "$model" --remove 1 -o "$scratch/empty/out" --dry-run
fi

# what --force may replace
mkdir "$scratch/collection"
echo GGUF >"$scratch/collection/theirs.gguf"
refused "holds files but no model" prune "$model" --remove 1 -o "$scratch/collection" --force
[ -s "$scratch/collection/theirs.gguf" ] || bad "a collection of models was replaced"
expect 0 prune "$model" --remove 1 -o "$scratch/small" --quiet
for command in "prune --remove 1" convert; do
    # shellcheck disable=SC2086
    refused "--force replaces it" ${command%% *} "$model" ${command#${command%% *}} -o "$scratch/small"
done

# --dry-run says what the run would say
expect 0 score "$model" --calibration-tokens "$ids" -o "$scratch/scores.json"
refused "one must stay" plan "$model" --scores "$scratch/scores.json" --blocks 6 --dry-run
refused "No such file" score "$model" --calibration "$scratch/nothing" --dry-run
refused "No such file" prune "$model" --criterion bi --calibration "$scratch/nothing" --blocks 1 -o "$scratch/x" --dry-run
refused "No such file" eval "$model" --perplexity "$scratch/nothing" --dry-run
refused "--perplexity-tokens" eval "$model" --perplexity "$ids"

# standard output that cannot be written is a failure
if [ -c /dev/full ]; then
    for arguments in --version --help "inspect $model" "inspect $model --json" doctor; do
        # shellcheck disable=SC2086
        "$depthprune" $arguments >/dev/full 2>"$scratch/err"
        [ $? = 1 ] || bad "$arguments into a full disk is not a failure"
        says "standard output: cannot be written"
    done
fi
finish
