#!/usr/bin/env bash
# Builds libcetnet and installs it: the library, cetnet.h and a file for pkg-config.
#     Scripts/install.sh --prefix DIRECTORY      # default: /usr/local
# The folder can be copied to machines without Swift, TurboJPEG and libpng.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=/usr/local
case "${1:-}" in
    "") ;;
    --prefix) prefix="${2:?a directory follows --prefix}" ;;
    *) sed -n '2,4s/^# //p' "$0"; exit $([ "$1" = --help ] && echo 0 || echo 2) ;;
esac

library="$(Scripts/build_library.sh)"
version="${library##*.so.}"
mkdir -p "$prefix/lib/pkgconfig" "$prefix/include"
prefix="$(cd "$prefix" && pwd)"
cp "$(dirname "$library")"/libcetnet-*.so.* "$library" "$prefix/lib/"
ln -sf "libcetnet.so.$version" "$prefix/lib/libcetnet.so.${version%%.*}"
ln -sf "libcetnet.so.${version%%.*}" "$prefix/lib/libcetnet.so"
cp Bindings/C/include/cetnet.h "$prefix/include/"
cat > "$prefix/lib/pkgconfig/cetnet.pc" <<EOF
prefix=\${pcfiledir}/../..

Name: cetnet
Description: CETNet vision models on the CPU
Version: $version
Libs: -L\${prefix}/lib -lcetnet
Cflags: -I\${prefix}/include
EOF
echo "$prefix/lib/libcetnet.so.$version"
