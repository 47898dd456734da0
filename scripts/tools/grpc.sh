# gRPC and Connect clients and suites, built with Go.
# shellcheck shell=bash
tool grpcurl v1.9.4 grpc
install_grpcurl() { go_install "$1" grpcurl "github.com/fullstorydev/grpcurl/cmd/grpcurl@$2"; }

tool connectconformance v1.0.5 grpc
install_connectconformance() { go_install "$1" connectconformance "connectrpc.com/conformance/cmd/connectconformance@$2"; }

tool referenceserver v1.0.5 grpc
install_referenceserver() { go_install "$1" referenceserver "connectrpc.com/conformance/cmd/referenceserver@$2"; }

tool grpc-go-interop v1.85.0 grpc
install_grpc_go_interop() { go_install "$1" grpc-go-interop "google.golang.org/grpc/interop/client@$2" client; }

tool ghz v0.93.0 grpc
install_ghz() { go_install "$1" ghz "github.com/bojand/ghz/cmd/ghz@$2"; }
