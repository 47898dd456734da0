# gRPC and Connect clients and suites, built with Go.
# shellcheck shell=bash disable=SC2154
tool grpcurl v1.9.4 grpc
install_grpcurl() { go_install "$1" grpcurl "github.com/fullstorydev/grpcurl/cmd/grpcurl@$2"; }

tool grpc-health-probe v0.4.61 grpc
install_grpc_health_probe() { go_install "$1" grpc-health-probe "github.com/grpc-ecosystem/grpc-health-probe@$2"; }

tool connectconformance v1.0.5 grpc
install_connectconformance() { go_install "$1" connectconformance "connectrpc.com/conformance/cmd/connectconformance@$2"; }

tool referenceserver v1.0.5 grpc
install_referenceserver() { go_install "$1" referenceserver "connectrpc.com/conformance/cmd/referenceserver@$2"; }

tool grpc-go-interop v1.85.0 grpc
install_grpc_go_interop() { go_install "$1" grpc-go-interop "google.golang.org/grpc/interop/client@$2" client; }

# The client of test/conformance/go-client. Its version is a digest of its sources, so that a changed line builds it anew.
go_client="$root/test/conformance/go-client"
tool go-client "$(cat "$go_client"/go.* "$go_client"/*.go | sha256sum | cut -c1-12)" grpc
install_go_client() {
  command -v go >/dev/null || fail "go-client is built with Go, and there is no go command. Install Go 1.24 or newer."
  (cd "$go_client" && GOFLAGS="-buildvcs=false -mod=readonly" CGO_ENABLED=0 nice go build -o "$1/go-client" .)
}

tool ghz v0.93.0 grpc
install_ghz() { go_install "$1" ghz "github.com/bojand/ghz/cmd/ghz@$2"; }
