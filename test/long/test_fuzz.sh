#!/bin/sh
# Every fuzz target for a minute under the sanitizers, and the proof that each finds a bounds check that is gone.
command -v clang >/dev/null || { echo "there is no clang" && exit 77; }
status=0
sh test/fuzz/fuzz.sh "${DEPTHPRUNE_FUZZ_SECONDS:-60}" || status=1
sh test/fuzz/proof.sh || status=1
exit $status
