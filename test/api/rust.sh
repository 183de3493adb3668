#!/bin/sh
# The Rust declarations are those that the headers give: a changed header needs them written again.
set -eu
python3 examples/rust/generate.py sys include | cmp -s - examples/rust/src/sys.rs || {
    echo "headers changed: python3 examples/rust/generate.py sys include >examples/rust/src/sys.rs"
    exit 1
}
echo "$(grep -c '^    pub fn' examples/rust/src/sys.rs) functions and $(grep -c '^    pub [a-z].*:' examples/rust/src/sys.rs) fields are declared in Rust"
