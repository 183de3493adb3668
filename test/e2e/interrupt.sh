# The first Ctrl-C ends a long run with status 130 and leaves nothing; the second at once.
. test/e2e/begin.inc
need_tiny
mkdir "$scratch/work"
python3 - >"$scratch/ids.json" <<'END'
import json
print(json.dumps([[(i * 7 + j * 13) % 160 for j in range(256)] for i in range(4000)]))
END

for signal in INT TERM; do
    "$depthprune" score "$tiny/model" --calibration-tokens "$scratch/ids.json" --threads 1 -o "$scratch/work/scores.json" \
        >/dev/null 2>"$scratch/err" &
    sleep 1
    kill -$signal $! 2>/dev/null || bad "the run ended before it was interrupted"
    wait $!
    status=$?
    [ $status = 130 ] || bad "status $status after SIG$signal"
    says "interrupted; nothing was written"
    [ -z "$(ls -A "$scratch/work")" ] || bad "left behind: $(ls -A "$scratch/work")"
done
finish
