# Stopping at 200 random moments.
. test/fault/begin.inc
host cancel
"$scratch/cancel" "$work" 200 || bad "cancel"
finish
