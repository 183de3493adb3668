#!/bin/sh
# Print the python of a virtual environment that holds the outside programs; make it when it is not there.
# PEERS names the folder; default: the user's cache.  About 4 GB.
set -eu
folder=${PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/depthprune/peers}
if [ ! -x "$folder/bin/python" ]; then
    python3 -m venv "$folder" >&2
    "$folder/bin/pip" install -q torch transformers peft safetensors tokenizers sentencepiece gguf accelerate numpy \
        llama-cpp-python >&2
fi
echo "$folder/bin/python"
