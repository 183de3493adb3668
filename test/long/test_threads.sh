# The hosts of test/fault/threads.sh whole, and the one with eight threads under ThreadSanitizer: no report.
set -eu
DEPTHPRUNE_ROUNDS=6 DEPTHPRUNE_RELOADS=200 sh test/fault/threads.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 test/fault/make_models.py "$scratch"
objects=$(find src -name '*.c' ! -path 'src/cli/*' | sed 's|^src/|build/tsan/|; s|c$|o|')
case $(${CC:-cc} -dumpmachine) in
x86_64*) ;;
*) objects=$(echo "$objects" | grep -v '_avx') ;;
esac
make -s BUILD=build/tsan SANITIZE=thread $objects >/dev/null
${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror -fsanitize=thread -Iinclude -I. test/fault/threads.c \
    $objects $(pkg-config --libs openblas jansson libpcre2-8) -lm -lpthread -ldl -o "$scratch/threads"
TSAN_OPTIONS=halt_on_error=1:exitcode=66 "$scratch/threads" "$scratch/bytes" 4
