# The first signal ends a long run with 130 (INT) or 143 (TERM) and leaves nothing; the second at once.
. test/e2e/begin.inc
need_tiny
mkdir "$scratch/work"
python3 - >"$scratch/ids.json" <<'END'
import json
print(json.dumps([[(i * 7 + j * 13) % 160 for j in range(256)] for i in range(4000)]))
END

# strike SIGNALS COMMAND...: start the program, send the signals one right after the other; prints status and ms.
strike() {
    python3 - "$@" 2>"$scratch/err" <<'END'
import os, signal, subprocess, sys, time
numbers = [getattr(signal, "SIG" + name) for name in sys.argv[1].split()]
run = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL)
time.sleep(1)
if run.poll() is not None:
    sys.exit("the run ended before it was interrupted")
began = time.monotonic()
for number in numbers:
    os.kill(run.pid, number)
run.wait()
print(run.returncode, int((time.monotonic() - began) * 1000))
END
}
score() {
    strike "$1" "$depthprune" score "$tiny/model" --calibration-tokens "$scratch/ids.json" --threads 1 \
        -o "$scratch/work/scores.json"
}
measure() {
    strike "$1" "$depthprune" eval "$tiny/model" --perplexity-tokens "$scratch/ids.json" --threads 1 \
        -o "$scratch/work/measured.json"
}

for run in score measure; do
    for pair in INT:130 TERM:143; do
        set -- $($run ${pair%:*})
        [ "${1:-}" = "${pair#*:}" ] || bad "$run: status ${1:-none} after ${pair%:*}"
        says "interrupted; nothing was written"
        [ "${2:-9999}" -le 2500 ] || bad "$run: ${2:-no} ms to stop" # test/fault/cancel.sh measures it
        [ -z "$(ls -A "$scratch/work")" ] || bad "left behind: $(ls -A "$scratch/work")"
    done
done
set -- $(score "INT TERM")
[ "${1:-}" = 130 ] || [ "${1:-}" = 143 ] || bad "status ${1:-none} after two signals"
[ ! -s "$scratch/err" ] || bad "the second signal did not stop at once: $(cat "$scratch/err")"
finish
