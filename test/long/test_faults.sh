# The sweeps of test/fault whole, of which `make check` runs a part.
export DEPTHPRUNE_STEP=1
exec sh test/run_tests.sh test/fault/allocations.sh test/fault/saves.sh test/fault/program_memory.sh
