# Power cuts: every state of the disk that a save can leave has the old target or the new one; and a save whose syncs
# are left out is found out.
. test/fault/begin.inc
host saves
cut() { # cut KIND LIE...: operations, syncs, states, bad states
    kind=$1
    shift
    rm -rf "$work/place" "$scratch/before"
    mkdir "$scratch/before"
    "$scratch/saves" "$work" log "$kind" "$scratch/log" "$scratch/before" || bad "$kind is not saved"
    python3 test/fault/power_cut.py "$scratch/log" "$scratch/before" "$work/place" "$@"
}
states=0
for kind in hf hf-over sharded sharded-over gguf gguf-over to-hf to-gguf; do
    set -- $(cut $kind)
    [ "${4:-}" = 0 ] || bad "$kind: $*"
    echo "$kind: $1 operations, $2 syncs, $3 states, $4 bad"
    states=$((states + ${3:-0}))
done
[ $states -gt 150 ] || bad "only $states states"
for lie in files folders place; do
    set -- $(cut hf-over $lie)
    [ "${4:-0}" -gt 0 ] || bad "the syncs of $lie are not missed"
    echo "without the syncs of $lie: $3 states, ${4:-no} bad"
done
echo "$states states, 0 bad"
finish
