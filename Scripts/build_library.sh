#!/usr/bin/env bash
# Builds libcetnet, the library for C and whatever can call C (Bindings/C), so that the machines that it goes to need
# neither Swift nor TurboJPEG nor libpng, and prints its path last.
set -euo pipefail
cd "$(dirname "$0")/.."
source Scripts/lib/dependencies.sh
install_dependencies

version="$(sed -n 's/.*current = "\(.*\)"/\1/p' Sources/CETNet/Version.swift)"
package="$PWD/Bindings/C"
work="$package/.build/link"
mkdir -p "$work"

# What cetnet.h declares is exported, with the version of the interface, and nothing else.
{
    echo "CETNET_${version%%.*} {"
    echo "    global:"
    sed -n 's/^\(const char \*\|void \|cetnet_status \)\(cetnet_[a-z_]*\)(.*/        \2;/p' "$package/include/cetnet.h"
    echo "    local: *;"
    echo "};"
} > "$work/exports.map.new"
cmp -s "$work/exports.map.new" "$work/exports.map" || cp "$work/exports.map.new" "$work/exports.map"

# The image libraries go along (Debian's static ones are not made for shared libraries), under names of their own, so
# that whatever is installed or loaded beside them stays apart.
command -v patchelf >/dev/null || install_packages patchelf
companions=()
for name in zlib libpng libturbojpeg; do
    library="$(pkg-config --libs-only-l "$name" | sed 's/^-l\([^ ]*\).*/\1/')"
    file="$(pkg-config --variable=libdir "$name")/lib$library.so"
    soname="$(patchelf --print-soname "$file")"
    ours="libcetnet-${soname#lib}"
    cp --remove-destination --dereference "$file" "$work/$ours"
    patchelf --set-soname "$ours" "$work/$ours"
    if [ "$name" = libpng ]; then
        patchelf --replace-needed libz.so.1 libcetnet-z.so.1 "$work/$ours"
        patchelf --set-rpath '$ORIGIN' "$work/$ours"
    fi
    ln -sf "$ours" "$work/lib$library.so"
    printf '%s\n' "Name: $name" "Description: $name" "Version: $(pkg-config --modversion "$name")" \
        "Libs: -L$work -l$library" "Cflags: $(pkg-config --cflags "$name")" > "$work/$name.pc"
    companions+=("$ours")
done
ln -sf libpng16.so "$work/libpng.so"

# Foundation's static library has specialisations of the standard library's functions that FoundationEssentials needs and
# has too. That is found first, so that Foundation and ICU's tables of all languages, 40 MB, come along only where they are used themselves.
resources="$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath" *: *"\(.*\)".*/\1/p')"
printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$(dirname "$(readlink -f "$(command -v swiftc)")")/ld.lld" \
    "${resources}_static/linux/libFoundationEssentials.a" > "$work/ld"
chmod +x "$work/ld"

options=(--package-path "$package" -c release --product CETNetLibrary --pkg-config-path "$work"
    -Xswiftc -static-stdlib -Xswiftc -use-ld="$work/ld" -Xlinker --version-script="$work/exports.map"
    -Xlinker -soname=libcetnet.so."${version%%.*}" -Xlinker --strip-all -Xlinker -z -Xlinker defs)
swift build "${options[@]}" >&2
library="$package/.build/libcetnet.so.$version"
cp "$(swift build "${options[@]}" --show-bin-path)/libCETNetLibrary.so" "$library"
for name in "${companions[@]}"; do cp "$work/$name" "$package/.build/"; done

# What it needs of the machine, and no more.
needed="$(readelf --dynamic --wide "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | tr '\n' ' ')"
for name in $needed; do
    case "$name" in
        libcetnet-*) ;;
        libc.so.6 | libm.so.6 | libgcc_s.so.1 | libstdc++.so.6 | ld-linux-x86-64.so.2) ;;
        *) fail "libcetnet needs $name, which not every machine has" ;;
    esac
done
exported="$(nm --dynamic --defined-only "$library" | awk '$2 == "T" { sub("@.*", "", $3); print $3 }' | sort)"
declared="$(sed -n 's/^ *\(cetnet_.*\);/\1/p' "$work/exports.map" | sort)"
[ "$exported" = "$declared" ] || fail "libcetnet exports $exported where cetnet.h declares $declared"
# Foundation's formatting brings ICU's tables of all languages, 40 MB: it is then used somewhere where it was not.
size="$(stat --dereference --format=%s "$library")"
[ "$size" -lt 32000000 ] || fail "libcetnet has $size bytes; is Foundation's formatting used (not FoundationEssentials)?"
echo "libcetnet $version: $size bytes, needs $needed" >&2
echo "$library"
