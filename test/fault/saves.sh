# File calls of a save that fail, are cut short or are where the process dies: a part; check-long tries all.
. test/fault/begin.inc
host saves -Wno-pedantic
"$scratch/saves" "$work" "${DEPTHPRUNE_STEP:-23}" || bad "saves"
finish
