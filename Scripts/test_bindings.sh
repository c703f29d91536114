#!/usr/bin/env bash
# Tests libcetnet from C, also under valgrind, then the Python package: its wheel in a virtual environment of its own with
# what it must not need out of reach, pytest, and Spark. Installs what is missing (Debian, PyPI).
set -euo pipefail
cd "$(dirname "$0")/.."
source Scripts/lib/bindings.sh
install_dependencies
for tool in valgrind java; do
    command -v $tool >/dev/null || install_packages "${tool/java/default-jre-headless}"
done
swift build -c release --product cetnet >&2
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
image=models/digits/images/digit-7-held-out-000.png

echo "--- C"
Scripts/install.sh --prefix "$work/prefix" >&2
export PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig"
flags=(-std=c11 -Wall -Wextra -Wno-missing-field-initializers -Werror -D_GNU_SOURCE)
cc "${flags[@]}" -g Bindings/C/tests/test_library.c $(pkg-config --cflags --libs cetnet) -lm -lpthread -o "$work/test"
cc "${flags[@]}" Examples/c/classify.c $(pkg-config --cflags --libs cetnet) -o "$work/classify"
echo '#include <cetnet.h>' | c++ -std=c++11 -Wall -Werror -x c++ -fsyntax-only $(pkg-config --cflags cetnet) -
export LD_LIBRARY_PATH="$work/prefix/lib"
"$work/test" models/digits "$image"
"$work/classify" models/digits "$image"
# Definite leaks and errors; what the Swift runtime keeps for ever is reachable.
valgrind --quiet --error-exitcode=3 --leak-check=full --errors-for-leak-kinds=definite --fair-sched=yes \
    "$work/test" models/digits "$image"
unset LD_LIBRARY_PATH

echo "--- wheel"
wheel="$(Scripts/wheel.sh "$work/wheels")"
python3 -m venv "$work/fresh"
"$work/fresh/bin/pip" install --quiet "$wheel" </dev/null
# Where the system allows it, Swift and the libraries that the wheel must not need are hidden.
cat > "$work/hidden.sh" <<'EOF'
if [ "$(id -u)" -eq 0 ] && mount --make-rprivate / 2>/dev/null; then
    for file in /usr/lib/*/lib{turbojpeg,png16,openblas}*.so* /usr/lib/*/openblas*/lib*.so*; do
        [ ! -e "$file" ] || mount --bind /dev/null "$(readlink -f "$file")"
    done
    [ ! -d "$1" ] || mount -t tmpfs none "$1"
fi
shift
exec env -i PATH=/usr/bin:/bin "$@"
EOF
hide=(bash "$work/hidden.sh" "$(dirname "$(dirname "$(readlink -f "$(command -v swift)")")")")
! unshare --mount true 2>/dev/null || hide=(unshare --mount "${hide[@]}")
"${hide[@]}" "$work/fresh/bin/python" -m cetnet classify --model models/digits --json models/digits/images/*.png \
    > "$work/wheel.json"
.build/release/cetnet classify --model models/digits --json models/digits/images/*.png > "$work/program.json"
diff "$work/wheel.json" "$work/program.json"
echo "The wheel classifies the shipped digits as the program does, to the last digit."

echo "--- Python"
"$python" -m pip install --quiet --force-reinstall --no-deps "$wheel" </dev/null
"$python" -m pytest --quiet --import-mode=importlib -o pythonpath=tests -c Bindings/Python/pyproject.toml \
    Bindings/Python/tests "$@" </dev/null
