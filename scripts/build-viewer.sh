#!/usr/bin/env bash
# Build the web application with the machine's Node.js, or with one from pip where there is none.
# Usage: build-viewer.sh build|test
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$PWD/.venv
new_enough() {
    command -v npm >/dev/null 2>&1 && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}
if ! new_enough; then
    PATH=$venv/bin:$PATH
    new_enough || "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
        -r requirements/node.txt
    hash -r
fi
cd viewer
if [ ! -e node_modules/.installed ] || [ package-lock.json -nt node_modules/.installed ]; then
    npm ci --no-audit --no-fund --loglevel=error
    touch node_modules/.installed
fi
if [ "$1" = test ]; then  # other people's viewers, for the tests of DICOMweb
    pushd ../conformance/viewer >/dev/null
    if [ ! -e node_modules/.installed ] || [ package-lock.json -nt node_modules/.installed ]; then
        npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
        touch node_modules/.installed
    fi
    popd >/dev/null
fi
npm run --silent "$1"
