# Allocations that fail: all of them, of the library and of the libraries beneath it.
. test/fault/begin.inc
host allocations
"$scratch/allocations" "$work" || bad "allocations"
finish
