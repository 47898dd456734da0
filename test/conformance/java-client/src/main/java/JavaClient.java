import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A grpc-java client with a retry policy: calls a method with each message and prints the code that the last attempt ended with.
 *
 * <p>java-client ADDRESS METHOD HEX...
 */
public final class JavaClient {
  private static final Map<String, Object> POLICY =
      Map.of(
          "methodConfig",
          List.of(
              Map.of(
                  "name",
                  List.of(Map.of()),
                  "retryPolicy",
                  Map.of(
                      "maxAttempts", 4.0,
                      "initialBackoff", "0.02s",
                      "maxBackoff", "0.1s",
                      "backoffMultiplier", 2.0,
                      "retryableStatusCodes", List.of("RESOURCE_EXHAUSTED", "UNAVAILABLE")))));

  /** Messages are passed as they are. */
  private static final MethodDescriptor.Marshaller<byte[]> RAW =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        }
      };

  public static void main(String[] args) throws InterruptedException {
    ManagedChannel channel =
        NettyChannelBuilder.forTarget("dns:///" + args[0])
            .usePlaintext()
            .enableRetry()
            .defaultServiceConfig(POLICY)
            .build();
    MethodDescriptor<byte[], byte[]> method =
        MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(args[1].substring(1))
            .setRequestMarshaller(RAW)
            .setResponseMarshaller(RAW)
            .build();
    for (String text : List.of(args).subList(2, args.length)) {
      CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS);
      int code = 0;
      try {
        ClientCalls.blockingUnaryCall(channel, method, options, HexFormat.of().parseHex(text));
      } catch (StatusRuntimeException error) {
        code = error.getStatus().getCode().value();
      }
      System.out.println(code);
    }
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
  }
}
