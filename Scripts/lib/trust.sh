# Sourced by the scripts that try to break the package: builds a program of the package in Trust/.
source Scripts/lib/dependencies.sh

llvm="$(dirname "$(readlink -f "$(command -v swift)")")"
# Files that are written again and again are kept in memory where that can be.
memory=/dev/shm
[ -w "$memory" ] || memory="${TMPDIR:-/tmp}"

# Builds a program into a folder of its own, since flags differ; sets trust_program.
build_trust() { # folder, product, flags
    install_dependencies
    local options=(-c release --package-path Trust --scratch-path "Trust/.build/$1" --product "$2" "${@:3}")
    swift build "${options[@]}" >&2
    trust_program="$(swift build "${options[@]}" --show-bin-path)/$2"
}
