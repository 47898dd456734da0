#!/usr/bin/env bash
# Builds the image of a packed package, for the platform that it runs on.
#
#   npm pack && deploy/container/build.sh assay-0.1.0.tgz assay:0.1.0
#
# BASE      another base image with Node 24
# BUILDER   another command than `buildah bud`, for instance `docker build`
set -euo pipefail
package="$(realpath "$1")" name=$2
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
context="$(mktemp -d)"
trap 'rm -rf "$context"' EXIT
mkdir "$context/app"
npm install --prefix "$context/app" --omit=dev --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error "$package"

# The base brings Node, and packages bring libraries of every platform.
modules="$context/app/node_modules"
platform="$(node -p '`${process.platform}/${process.arch}`')"
rm -rf "$modules"/node-linux-* "$modules"/node-win-* "$modules/.bin"
for folder in "$modules"/onnxruntime-node/bin/napi-v*/*/*; do
  if [[ "$folder" != */"$platform" ]]; then rm -rf "$folder"; fi
done
# Readable for any user.
chmod -R a+rX "$context/app"

# OCI's own format has no place for a health check.
builder=${BUILDER:-buildah bud --format docker}
# shellcheck disable=SC2086
$builder ${BASE:+--build-arg "BASE=$BASE"} -t "$name" -f "$here/Containerfile" "$context"
