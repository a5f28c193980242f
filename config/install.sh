#!/bin/sh
# Installs one lock file into .venv and makes .env: fast when nothing has changed, never touches a database.
# usage: PYTHON=python3 config/install.sh LOCKFILE
set -eu
lock=$1

fail() {
	echo "make install: $*" >&2
	exit 2
}

"${PYTHON:-false}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
	fail "needs Python 3.11 or newer; name one, for example: make install PYTHON=python3.12"

version() {
	"$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none
}

if [ "$(version .venv/bin/python)" != "$(version "$PYTHON")" ]; then
	rm -rf .venv
	"$PYTHON" -m venv .venv 2>/dev/null || uv venv --quiet --clear --seed --python "$PYTHON" .venv ||
		fail "this Python can't make a virtual environment: install its venv package (Debian: apt-get install python3-venv) or uv"
fi

if ! cmp -s "$lock" ".venv/$lock"; then
	echo "Installing from $lock into .venv"
	if command -v uv >/dev/null && uv pip install --quiet --python .venv/bin/python --require-hashes --compile-bytecode -r "$lock"; then
		:
	else
		.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
	fi
	cp "$lock" ".venv/$lock"
fi

[ -e .env ] || .venv/bin/python -m config.dotenv
