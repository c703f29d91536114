# Sourced by the other scripts: makes sure that what the build needs is installed.

# Debian's names of what the build needs beside Swift.
packages=(libopenblas-dev liblapacke-dev libturbojpeg0-dev libpng-dev pkg-config)

fail() {
    echo "Error: $*" >&2
    exit 2
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "installing ${missing[*]} needs root or sudo"
    fi
}

install_dependencies() {
    command -v git >/dev/null || fail "git is missing"
    command -v swift >/dev/null || fail "Swift 6.1 or later is missing; see https://www.swift.org/install"

    if ! command -v dpkg-query >/dev/null; then
        # Not a Debian: the libraries may be there under other package names.
        command -v pkg-config >/dev/null && pkg-config --exists openblas libturbojpeg libpng && return
        fail "please install OpenBLAS, TurboJPEG and libpng with their headers, and pkg-config"
    fi

    missing=()
    local package
    for package in "${packages[@]}"; do
        # pkgconf stands in for pkg-config.
        if [ "$package" = pkg-config ] && command -v pkg-config >/dev/null; then continue; fi
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return

    install_packages "${missing[@]}"
}

# Installs Debian packages.
install_packages() {
    missing=("$@")
    echo "Installing ${missing[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    # Package lists that are missing or out of date make the first try fail.
    as_root apt-get install --yes --no-install-recommends "${missing[@]}" >&2 </dev/null || {
        as_root apt-get update >&2 </dev/null
        as_root apt-get install --yes --no-install-recommends "${missing[@]}" >&2 </dev/null
    } || fail "${missing[*]} could not be installed"
}
