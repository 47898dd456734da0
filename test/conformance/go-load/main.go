// Calls until its standard input ends, and tells what came of it: grpc-go calls and streams, and JSON through net/http on connections
// that are kept. Nothing is retried but what the two libraries retry by themselves, which is what was never sent or was refused by
// GOAWAY before it was read.
//
//	go-load [-tls] [-only-direct] ADDRESS METHOD STREAM_METHOD HEX ITEM_HEX PATH JSON
//
// ITEM_HEX holds an item of a stream. With -only-direct a caller ends when nobody listens any more, and not with a failure; one whose
// connection was reset just then, for the system had taken it and no program yet, is counted as cut off.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const (
	callers     = 4
	streams     = 2
	streamItems = 8
	pause       = 8 * time.Millisecond
	patience    = 10 * time.Second
)

// Messages are passed as they are.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (raw) Name() string { return "proto" }

// What came of one way to call.
type tally struct {
	Answered atomic.Int64
	Resumed  atomic.Int64
	CutOff   atomic.Int64
	mutex    sync.Mutex
	failures []string
	answers  map[string]bool
}

func (t *tally) failed(what string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if len(t.failures) < 20 {
		t.failures = append(t.failures, time.Now().Format("15:04:05.000 ")+what)
	}
}

func (t *tally) answered(answer []byte) {
	t.Answered.Add(1)
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.answers == nil {
		t.answers = map[string]bool{}
	}
	if len(t.answers) < 20 {
		t.answers[string(answer)] = true
	}
}

func (t *tally) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"answered": t.Answered.Load(), "resumed": t.Resumed.Load(), "cutOff": t.CutOff.Load(), "failures": append([]string{}, t.failures...),
		"different": len(t.answers),
	})
}

var (
	secure     = flag.Bool("tls", false, "TLS, without a look at the certificate")
	onlyDirect = flag.Bool("only-direct", false, "end where nobody listens")
	stop       = make(chan struct{})
)

func isStopped() bool {
	select {
	case <-stop:
		return true
	case <-time.After(pause):
		return false
	}
}

func isRefused(err error) bool {
	return *onlyDirect && (errors.Is(err, syscall.ECONNREFUSED) || strings.Contains(err.Error(), "connection refused"))
}

// Whether nobody listens any more, which ends the caller. A listener that closes resets what waits to be accepted.
func isGone(err error, address string, t *tally) bool {
	if isRefused(err) {
		return true
	}
	if !*onlyDirect || !strings.Contains(err.Error(), "connection reset by peer") {
		return false
	}
	connection, err := net.DialTimeout("tcp", address, patience)
	if err == nil {
		connection.Close()
		return false
	}
	t.CutOff.Add(1)
	return errors.Is(err, syscall.ECONNREFUSED)
}

func dial(address string) *grpc.ClientConn {
	transport := insecure.NewCredentials()
	if *secure {
		transport = credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})
	}
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(transport),
		grpc.WithDisableRetry(), grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
	if err != nil {
		panic(err)
	}
	return connection
}

func callGrpc(connection *grpc.ClientConn, address, method string, request []byte, t *tally) {
	for !isStopped() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		var response []byte
		err := connection.Invoke(ctx, method, &request, &response)
		cancel()
		if err == nil {
			t.answered(response)
		} else if isGone(err, address, t) {
			return
		} else {
			t.failed(err.Error())
		}
	}
}

func callJSON(client *http.Client, address, url, body string, t *tally) {
	for !isStopped() {
		response, err := client.Post(url, "application/json", strings.NewReader(body))
		if err != nil {
			if isGone(err, address, t) {
				return
			}
			t.failed(err.Error())
			continue
		}
		answer, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.failed(err.Error())
		} else if response.StatusCode != 200 {
			t.failed(fmt.Sprintf("%d %s", response.StatusCode, answer))
		} else {
			t.answered(answer)
		}
	}
}

// One item after the other; a stream that a drain ends is resumed with the item that has no answer.
func callStream(connection *grpc.ClientConn, address, method string, item []byte, t *tally) {
	description := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	left := 0
	for left > 0 || !isStopped() {
		if left == 0 {
			left = streamItems
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := exchange(ctx, connection, description, method, item, &left, t)
		cancel()
		if err == nil {
			continue
		}
		if isGone(err, address, t) {
			return
		}
		if code := status.Code(err); code == codes.Unavailable && strings.Contains(err.Error(), "shutting down") {
			t.Resumed.Add(1)
		} else {
			t.failed(err.Error())
			left = 0
		}
	}
}

func exchange(ctx context.Context, connection *grpc.ClientConn, description *grpc.StreamDesc, method string, item []byte, left *int, t *tally) error {
	stream, err := connection.NewStream(ctx, description, method)
	if err != nil {
		return err
	}
	for *left > 0 {
		// Where the stream has ended, what it ended with is what is read.
		if err := stream.SendMsg(&item); err != nil && err != io.EOF {
			return err
		}
		var answer []byte
		if err := stream.RecvMsg(&answer); err != nil {
			return err
		}
		t.answered(answer)
		*left--
		time.Sleep(pause)
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	var none []byte
	err = stream.RecvMsg(&none)
	if err == io.EOF {
		return nil
	}
	if err == nil {
		return errors.New("an answer more than there were items")
	}
	// All its items are answered: how it ends says no more.
	if status.Code(err) == codes.Unavailable && strings.Contains(err.Error(), "shutting down") {
		return nil
	}
	return err
}

func decoded(text string) []byte {
	data, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return data
}

func main() {
	flag.Parse()
	args := flag.Args()
	address, method, streamMethod, request, item, path, body := args[0], args[1], args[2], decoded(args[3]), decoded(args[4]), args[5], args[6]
	url := "http://" + address + path
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = callers
	transport.ForceAttemptHTTP2 = false
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	if *secure {
		url = "https://" + address + path
	}
	client := &http.Client{Transport: transport, Timeout: patience}
	unary, plain, streamed := &tally{}, &tally{}, &tally{}
	var group sync.WaitGroup
	connections := []*grpc.ClientConn{dial(address), dial(address)}
	for i := range callers {
		group.Go(func() { callGrpc(connections[i%len(connections)], address, method, request, unary) })
		group.Go(func() { callJSON(client, address, url, body, plain) })
	}
	for i := range streams {
		group.Go(func() { callStream(connections[i%len(connections)], address, streamMethod, item, streamed) })
	}
	fmt.Println("calling")
	io.Copy(io.Discard, os.Stdin)
	close(stop)
	group.Wait()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(map[string]*tally{"grpc": unary, "json": plain, "stream": streamed}); err != nil {
		panic(err)
	}
	os.Stdout.Write(out.Bytes())
}
