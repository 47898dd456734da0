#!/usr/bin/env bash
# Makes the messages of python/src/assay from proto/; needs scripts/setup-tools.sh python-assay.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH="${ASSAY_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/assay-tools}/bin:$PATH" node_modules/.bin/buf generate --template python/buf.gen.yaml
