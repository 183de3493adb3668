# Allocations that fail: all of the library's, and of the libraries beneath it every DEPTHPRUNE_STEP-th.
. test/fault/begin.inc
host allocations
"$scratch/allocations" "$work" "${DEPTHPRUNE_STEP:-29}" || bad "allocations"
finish
