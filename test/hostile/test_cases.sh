# Every broken model is refused as it must be, every odd one read: by the program as built, and under the sanitizers.
set -u
program=${DEPTHPRUNE:-build/depthprune}
sanitized=${DEPTHPRUNE_SANITIZED:-build/asan/depthprune-alone}
[ -x "$program" ] || {
    echo "$program is not built"
    exit 1
}
"${MAKE:-make}" -s -j2 BUILD=build/asan SANITIZE=address,undefined build/asan/depthprune-alone >/dev/null || exit 1
python3 -B test/hostile/run.py "$program" || exit 1
echo "under the address and undefined-behaviour sanitizers:"
exec python3 -B test/hostile/run.py "$sanitized" --sanitized
