# Paths: links into a cache, pipes and devices in place of files, outputs that are the input, outputs that are links.
. test/fault/begin.inc
cd "$work" || exit 1
case $depthprune in /*) ;; *) depthprune=$OLDPWD/$depthprune ;; esac
count=0
# run STATUS WORDS ARGUMENTS...: within 20 s, whatever the files are.
run() {
    wanted=$1 words=$2
    shift 2
    count=$((count + 1))
    timeout 20 "$depthprune" "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    [ $status = "$wanted" ] || bad "$*: status $status, not $wanted: $(cat "$scratch/err")"
    [ "$wanted" = 0 ] || says "$words"
}
digest() {
    "$depthprune" inspect --check --json "$1" | sed -n 's/.*"digest": "\(.*\)".*/\1/p' | head -n 1
}
sum() {
    (cd "$1" && find . -type f | LC_ALL=C sort | xargs cksum)
}
"$depthprune" score bytes --criterion mag -o scores.json -q >/dev/null

# A hub's cache: every file is a link to elsewhere.
mkdir -p hub/blobs hub/model hub/parts
for folder in bytes parts; do
    to=hub/$([ $folder = bytes ] && echo model || echo parts)
    for file in $folder/*; do
        name=${file##*/}
        cp "$file" "hub/blobs/$folder-$name"
        ln -s "../blobs/$folder-$name" "$to/$name"
    done
done
[ "$(digest hub/model)" = "$(digest bytes)" ] && [ -n "$(digest bytes)" ] || bad "links into a cache: another model"
[ "$(digest hub/parts)" = "$(digest bytes)" ] || bad "linked shards: another model"
run 0 "" prune hub/parts --remove 1 -o from-hub -q
[ -z "$(find from-hub -type l)" ] || bad "a save copies links"
ln -s loop loop
run 1 "Too many levels of symbolic links" inspect loop

# Only regular files are read, and nothing waits for a pipe.
for what in pipe folder socket zero; do
    rm -rf odd && cp -r bytes odd
    for file in config.json model.safetensors tokenizer.json odd.gguf text ids.json; do
        rm -rf "odd/$file"
        case $what in
            pipe) mkfifo "odd/$file" ;;
            folder) mkdir "odd/$file" ;;
            socket) python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "odd/$file" ;;
            zero) ln -s /dev/zero "odd/$file" ;;
        esac
        case $file in
            config.json) run 1 "config.json" inspect odd ;;
            model.safetensors) run 1 "model.safetensors" inspect odd ;;
            tokenizer.json) run 1 "tokenizer.json" eval odd --perplexity corpus.txt --window 16 ;;
            odd.gguf) run 1 "odd.gguf" inspect odd/odd.gguf ;;
            text)
                run 1 "odd/text" score bytes --calibration odd/text --length 16
                run 1 "odd/text" eval bytes --perplexity odd/text --window 16
                ;;
            ids.json)
                run 1 "odd/ids.json" score bytes --calibration-tokens odd/ids.json
                run 1 "odd/ids.json" prune bytes --plan odd/ids.json -o new
                run 1 "odd/ids.json" prune bytes --scores odd/ids.json --blocks 1 -o new
                ;;
        esac
        rm -rf "odd/$file"
        [ ! -e "bytes/$file" ] || cp "bytes/$file" "odd/$file"
    done
done

# The output is the input, by whatever name.
before=$(sum bytes; cksum bytes.gguf)
ln -s bytes alias
ln bytes.gguf hard.gguf
ln -s bytes.gguf soft.gguf
for target in bytes ./bytes/ "$work/bytes" alias alias/ hub/../bytes bytes/inner; do
    run 1 "model that is being read" prune bytes --remove 1 -o "$target" --to hf --force
done
run 1 "the target" prune alias --remove 1 -o bytes --force
run 1 "the target" prune bytes --remove 1 -o . --force
run 1 "" prune bytes --remove 1 -o "$work" --force
for target in bytes.gguf ./bytes.gguf hard.gguf soft.gguf; do
    run 1 "the target is the model that is being read" prune bytes.gguf --remove 1 -o "$target" --force
done
[ "$(sum bytes; cksum bytes.gguf)" = "$before" ] || bad "the input was changed"

# The output is a link: it is replaced when that was asked for, and what it points to never.
mkdir victim && cp bytes/config.json victim/
before=$(sum victim)
for aim in victim victim/config.json nowhere; do
    for to in gguf hf; do
        rm -rf link && ln -s $aim link
        run 1 "--force replaces it" convert bytes -o link --to $to
        [ -L link ] || bad "a link to $aim was replaced unasked"
        run 0 "" convert bytes -o link --to $to --force -q
        [ ! -L link ] && [ -e link ] || bad "the link to $aim is still there"
    done
done
[ ! -e nowhere ] || bad "a link was followed"
[ "$(sum victim)" = "$before" ] || bad "what a link points to was changed"
mkfifo pipe
run 1 "neither a file nor a directory" convert bytes -o pipe --to gguf --force
run 1 "neither a file nor a directory" convert bytes -o pipe --to hf --force
run 1 "the target holds the model" convert bytes -o bytes/.. --force
run 1 "" convert bytes -o /dev/full --to gguf --force
[ -c /dev/full ] || bad "/dev/full was replaced"

# While another process puts links in the way and takes them away, what they point to stays as it is.
rm -rf link
(while :; do ln -s victim link && rm -f link; rm -rf link; done) 2>/dev/null &
flipper=$!
for turn in 1 2 3 4 5 6 7 8 9 10; do
    timeout 20 "$depthprune" convert bytes -o link --force -q >/dev/null 2>&1
    timeout 20 "$depthprune" convert bytes -o link/model --force -q >/dev/null 2>&1
    count=$((count + 2))
done
kill $flipper
wait $flipper 2>/dev/null
rm -rf victim/model
[ "$(sum victim)" = "$before" ] || bad "a race of links changed what they point to"
[ -z "$(find . -name '.*.partial-*')" ] || bad "left behind: $(find . -name '.*.partial-*')"
echo "$count runs on odd paths"
cd "$OLDPWD" || exit 1
finish
