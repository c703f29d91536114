# Sourced by the scripts of Bindings.
source Scripts/lib/dependencies.sh

python=Bindings/Python/.venv/bin/python

# Makes the virtual environment that wheels are built and tested in.
make_environment() {
    [ -x Bindings/Python/.venv/bin/pytest ] && return
    # Debian keeps venv in a package of its own.
    python3 -m venv Bindings/Python/.venv >/dev/null 2>&1 ||
        { install_packages python3 python3-venv && python3 -m venv Bindings/Python/.venv; }
    "$python" -m pip install --quiet --requirement Bindings/Python/requirements.txt >&2 </dev/null
}
