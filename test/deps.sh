#!/bin/sh
# Install the Debian packages that are missing, as root or with sudo; elsewhere name them.   usage: deps.sh build|check|long|plot ...
# DEPS=off does nothing.
[ "${DEPS:-}" = off ] && exit 0
missing=
want() # package, command that proves it is there
{
    sh -c "$2" >/dev/null 2>&1 || missing="$missing $1"
}
for purpose in "$@"; do
    case $purpose in
        build)
            want pkg-config 'command -v pkg-config'
            want libopenblas-dev 'pkg-config --exists openblas'
            want libjansson-dev 'pkg-config --exists jansson'
            want libpcre2-dev 'pkg-config --exists libpcre2-8'
            want binutils 'command -v objcopy'
            ;;
        check)
            want check 'pkg-config --exists check'
            want g++ 'command -v c++'
            want python3 'command -v python3'
            want abigail-tools 'command -v abidiff'
            want gnuplot-nox 'command -v gnuplot'
            ;;
        long)
            want clang 'command -v clang'
            want libclang-rt-dev 'ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a'
            want valgrind 'command -v valgrind'
            want strace 'command -v strace'
            want gcovr 'command -v gcovr'
            want rustc 'command -v rustc'
            want cmake 'command -v cmake'
            want python3-venv 'python3 -m ensurepip --version'
            want gcc-aarch64-linux-gnu 'command -v aarch64-linux-gnu-gcc'
            want libc6-dev-arm64-cross 'ls /usr/aarch64-linux-gnu/include/stdio.h'
            want qemu-user 'command -v qemu-aarch64'
            ;;
        plot) want gnuplot-nox 'command -v gnuplot' ;;
    esac
done
[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null; then
    echo "please install what Debian calls:$missing" >&2
    exit 1
fi
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
if [ -n "$as_root" ] && ! command -v sudo >/dev/null; then
    echo "please install, as root:$missing" >&2
    exit 1
fi
echo "installing:$missing"
$as_root apt-get update -qq >/dev/null
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
