// A grpc-go client with a retry policy: calls a method with each message and prints the code that the last attempt ended with.
//
//	go-client ADDRESS METHOD HEX...
package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const policy = `{"methodConfig": [{"name": [{}], "retryPolicy": {
	"maxAttempts": 4, "initialBackoff": "0.02s", "maxBackoff": "0.1s", "backoffMultiplier": 2,
	"retryableStatusCodes": ["RESOURCE_EXHAUSTED", "UNAVAILABLE"]}}]}`

// Messages are passed as they are.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = append([]byte(nil), data...); return nil }
func (raw) Name() string                       { return "proto" }

func main() {
	address, method := os.Args[1], os.Args[2]
	connection, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(policy))
	if err != nil {
		panic(err)
	}
	defer connection.Close()
	for _, text := range os.Args[3:] {
		request, err := hex.DecodeString(text)
		if err != nil {
			panic(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		var response []byte
		err = connection.Invoke(ctx, method, &request, &response, grpc.ForceCodec(raw{}))
		cancel()
		fmt.Println(int(status.Code(err)))
	}
}
