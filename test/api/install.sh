#!/bin/sh
# make install as a packager uses it (another LIBDIR, a narrow umask, twice): everything readable, the program finds its
# library from where it lies, pkg-config links the shared library and, with --static, the archive; uninstall leaves nothing.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad()
{
    echo "$*"
    exit 1
}
prefix=/opt/dp libdir=/opt/dp/lib/some-machine
(umask 077 && make -s install DESTDIR="$work" PREFIX=$prefix LIBDIR=$libdir && make -s install DESTDIR="$work" PREFIX=$prefix LIBDIR=$libdir) >/dev/null
narrow=$(find "$work/opt/dp" -type f ! -perm -444 -o -type d ! -perm -555)
[ -z "$narrow" ] || bad "not everybody may read: $narrow"
version=$("$work$prefix/bin/depthprune" --version | awk '{print $2}')
[ -n "$version" ] || bad "the installed program does not run"

export PKG_CONFIG_SYSROOT_DIR="$work" PKG_CONFIG_PATH="$work$libdir/pkgconfig"
[ "$(pkg-config --modversion depthprune)" = "$version" ] || bad "pkg-config has another version"
cat >"$work/host.c" <<'END'
#include <depthprune/depthprune.h>
#include <stdio.h>
int main(void)
{
    dp_context *context = NULL;
    const int rc = dp_context_new(NULL, &context, NULL);
    dp_context_free(context);
    printf("%s\n", dp_version_text());
    return rc != DP_OK;
}
END
flags=$(pkg-config --cflags depthprune)
${CC:-cc} $flags "$work/host.c" $(pkg-config --libs depthprune) -o "$work/shared"
[ "$(LD_LIBRARY_PATH="$work$libdir" "$work/shared")" = "$version" ] || bad "the shared host does not run"
# The linker prefers a shared library where both lie: the archive alone, as in a package for static linking.
mkdir "$work/archive"
cp "$work$libdir/libdepthprune.a" "$work/archive"
unset PKG_CONFIG_SYSROOT_DIR # the private libraries are this system's
${CC:-cc} $flags "$work/host.c" -L"$work/archive" $(pkg-config --static --libs depthprune) -o "$work/static"
[ "$("$work/static")" = "$version" ] || bad "the static host does not run"
if readelf -d "$work/static" | grep -q 'NEEDED.*depthprune'; then bad "the static host needs the shared library"; fi

make -n -B CC=/some/compiler CFLAGS=-O1 LDFLAGS=-Wl,-some all 2>/dev/null | grep -e ' -c src/base/error.c' -e '-shared' \
    >"$work/commands" || true
[ "$(grep -c '/some/compiler .*-O1 .*-c\|/some/compiler -shared.*-Wl,-some' "$work/commands")" = 2 ] ||
    bad "CC, CFLAGS or LDFLAGS is not used: $(cut -c 1-200 "$work/commands")"

make -s uninstall DESTDIR="$work" PREFIX=$prefix LIBDIR=$libdir >/dev/null
left=$(find "$work/opt" ! -type d -o -name 'depthprune*')
[ -z "$left" ] || bad "uninstall left: $left"
echo "installed, linked shared and static, removed"
