#!/bin/sh
# Installs what the browser tests take from npm: fast when nothing has changed. Without it those tests are skipped.
set -eu
cd "$(dirname "$0")"
if cmp -s package-lock.json node_modules/installed.lock || ! command -v npm >/dev/null; then
	exit
fi
echo "Installing from package-lock.json into tests/browser/node_modules"
if npm ci --silent; then
	cp package-lock.json node_modules/installed.lock
else
	echo "make dev: npm ci failed in tests/browser; without it the accessibility tests are skipped" >&2
fi
