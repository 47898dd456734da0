# What judges the OpenAPI document, and the server by it.
# shellcheck shell=bash disable=SC2154
openapi_requirements="$root/test/conformance/python/openapi-requirements.txt"
tool python-openapi "$(requirements_version "$openapi_requirements")" openapi
install_python_openapi() { python_install "$1" python-openapi "$openapi_requirements"; }

tool redocly 2.77.0 openapi
install_redocly() {
  local node="$root/node_modules/node-$(node -p 'process.platform')-$(node -p 'process.arch')/bin"
  nice npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$1/npm" "@redocly/cli@$2"
  printf '#!/bin/sh\nPATH="%s:$PATH" REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true exec "%s/npm/node_modules/.bin/redocly" "$@"\n' \
    "$node" "$1" >"$1/redocly"
  chmod +x "$1/redocly"
}
