#!/usr/bin/env bash
# Install what the tests use from Debian: a browser and the DICOM checker. Where that cannot be
# done the tests that need them say so and are skipped; nothing else is affected. Orthanc, which the
# conformance table asks too, is a server that starts by itself once installed, so that only a
# machine of continuous integration gets it (CI is set there).
set -uo pipefail
packages=()
command -v chromium >/dev/null 2>&1 || packages+=(chromium)
command -v dciodvfy >/dev/null 2>&1 || packages+=(dicom3tools)
if [ -n "${CI:-}" ]; then
    command -v Orthanc >/dev/null 2>&1 || packages+=(orthanc orthanc-wsi)
fi
[ ${#packages[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root=(sudo -n)
    else
        as_root=(false)
    fi
fi
if command -v apt-get >/dev/null 2>&1 &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c \
        'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null' \
        sh "${packages[@]}" 2>/dev/null; then
    exit 0
fi
echo "note: ${packages[*]} could not be installed here; the tests that need them are skipped." \
    "Install them with: apt-get install ${packages[*]}" >&2
exit 0
