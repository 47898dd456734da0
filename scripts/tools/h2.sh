# What the conformance tests of the HTTP/2 engine (test/conformance/h2) call; h2load is in debian.sh.
# shellcheck shell=bash disable=SC2154
hpack_requirements="$root/test/conformance/h2/requirements.txt"

# Newer commits of h2spec are not to be had as a module.
tool h2spec v2.2.1+incompatible h2
install_h2spec() { go_install "$1" h2spec "github.com/summerwind/h2spec/cmd/h2spec@$2"; }

tool python-hpack "$(requirements_version "$hpack_requirements")" h2
install_python_hpack() { python_install "$1" python-hpack "$hpack_requirements"; }
