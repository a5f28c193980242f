#!/bin/sh
# Installs one lock file into .venv and makes .env: fast when nothing has changed, never touches a database.
# usage: PYTHON=python3.12 config/install.sh LOCKFILE    (PYTHON empty: the one in .venv, else the first that is new enough)
set -eu
lock=$1

fail() {
	echo "make install: $*" >&2
	exit 2
}

# Prints the version of a Python if it runs and is new enough.
version() {
	"$1" -c 'import sys; v = sys.version_info[:2]; v >= (3, 11) and print("%d.%d" % v)' 2>/dev/null || true
}

if [ -n "$PYTHON" ]; then
	candidates=$PYTHON
else
	candidates=".venv/bin/python python3 python3.13 python3.12 python3.11"
fi
for python in $candidates; do
	wanted=$(version "$python")
	[ -z "$wanted" ] || break
done
[ -n "$wanted" ] || fail "needs Python 3.11 or newer; name one, for example: make install PYTHON=python3.12"

if [ "$(version .venv/bin/python)" != "$wanted" ]; then
	rm -rf .venv
	"$python" -m venv .venv 2>/dev/null || uv venv --quiet --clear --seed --python "$python" .venv ||
		fail "this Python can't make a virtual environment: install its venv package (Debian: apt install python3-venv) or uv"
fi

if ! cmp -s "$lock" ".venv/$lock"; then
	echo "Installing from $lock into .venv"
	if ! { command -v uv >/dev/null &&
		uv pip install --quiet --python .venv/bin/python --require-hashes --compile-bytecode -r "$lock"; }; then
		.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
	fi
	cp "$lock" ".venv/$lock"
fi

[ -e .env ] || .venv/bin/python -m config.dotenv
