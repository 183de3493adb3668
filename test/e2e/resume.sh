# A scoring run that was killed goes on with --resume, and gives the same document but for its seconds.
. test/e2e/begin.inc
need_tiny
model=$tiny/model
python3 - >"$scratch/ids.json" <<'END'
import json
print(json.dumps([[(i * 7 + j * 13) % 160 for j in range(64)] for i in range(400)]))
END
score() { "$depthprune" score "$model" --calibration-tokens "$scratch/ids.json" --group-samples 1 -o "$scratch/scores.json" "$@"; }

expect 2 score "$model" --calibration-tokens "$scratch/ids.json" --resume
expect 2 score "$model" --criterion mag -o "$scratch/scores.json" --resume
for signal in KILL INT; do
    "$depthprune" score "$model" --calibration-tokens "$scratch/ids.json" --group-samples 1 -o "$scratch/scores.json" --resume \
        >/dev/null 2>"$scratch/err" &
    old=$(stat -c %i "$scratch/scores.json.partial" 2>/dev/null)
    for try in $(seq 500); do # until a group is finished
        now=$(stat -c %i "$scratch/scores.json.partial" 2>/dev/null)
        [ "$now" ] && [ "$now" != "$old" ] && break
        sleep 0.02
    done
    kill -$signal $! 2>/dev/null || bad "the run ended before it was stopped"
    wait $!
    [ -s "$scratch/scores.json.partial" ] || bad "nothing was kept"
    [ ! -e "$scratch/scores.json" ] || bad "there are scores already"
done
says "with --resume goes on"
before=$(python3 -c "import json; print(json.load(open('$scratch/scores.json.partial'))['samples'])")
score --resume >/dev/null 2>"$scratch/err" || bad "did not resume: $(cat "$scratch/err")"
[ "$before" -ge 1 ] || bad "kept $before samples"
[ ! -e "$scratch/scores.json.partial" ] || bad "the journal is still there"
mv "$scratch/scores.json" "$scratch/resumed.json"
score >/dev/null 2>&1 || bad "did not score"
python3 - "$scratch/resumed.json" "$scratch/scores.json" <<'END' || bad "other numbers"
import json, sys
a, b = (json.load(open(path)) for path in sys.argv[1:])
assert a["scores"] == b["scores"] and a["dense"] == b["dense"]
END
finish
