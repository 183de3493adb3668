# Eight threads, a fork, a library that comes and goes, and files that change under an open model.
. test/fault/begin.inc
host threads
host fork
host reload -ldl
host changes
"$scratch/threads" "$work/bytes" "${DEPTHPRUNE_ROUNDS:-2}" || bad "threads"
"$scratch/threads" "$work/bytes.gguf" 1 >/dev/null || bad "threads over a GGUF file"
"$scratch/fork" "$work/bytes" 4 || bad "fork"
if nm -D "$library/libdepthprune.so" | grep -q atfork; then bad "the library has an atfork handler"; fi
# Without the C library's own caches of freed blocks, so that bytes in use are bytes that were not freed.
for gemm in auto openblas; do
    GLIBC_TUNABLES=glibc.malloc.tcache_count=0 "$scratch/reload" "$library/libdepthprune.so" "$work/bytes" \
        "${DEPTHPRUNE_RELOADS:-40}" $gemm || bad "reload, $gemm"
done
"$depthprune" convert "$work/bytes" -o "$scratch/aligned" -q >/dev/null || bad "convert" # what is not aligned is copied
cp -r "$scratch/aligned" "$scratch/changing"
"$scratch/changes" "$scratch/aligned/model.safetensors" "$scratch/changing/model.safetensors" "$scratch/changing" \
    "$work/bytes.gguf" "$scratch/changing.gguf" "$scratch/changing.gguf" || bad "files that change"
finish
