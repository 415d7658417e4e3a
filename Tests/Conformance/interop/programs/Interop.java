import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** java.net.http's client, which knows no extensions. Prints what python_clients.py says: java Interop URL [CA] */
public class Interop {
    static final int LIMIT = 15;
    // As in things.py; there is no JSON in the JDK.
    static final String[] THINGS = {"text", "empty", "unicode", "text70k", "bin1m", "frag", "ping",
        "close1000", "close3000", "close4999", "deflate", "plain"};
    static final String[] PARTS = {"fragment one, ", "\u00e9\u20ac, ", "and three"};
    static final String PING = "p".repeat(125);

    static class Listener implements WebSocket.Listener {
        final BlockingQueue<Object> received = new LinkedBlockingQueue<>();
        private final StringBuilder text = new StringBuilder();
        private final ByteArrayOutputStream binary = new ByteArrayOutputStream();

        public CompletionStage<?> onText(WebSocket client, CharSequence part, boolean isLast) {
            text.append(part);
            if (isLast) {
                received.add(text.toString());
                text.setLength(0);
            }
            client.request(1);
            return null;
        }

        public CompletionStage<?> onBinary(WebSocket client, ByteBuffer part, boolean isLast) {
            binary.writeBytes(bytes(part));
            if (isLast) {
                received.add(binary.toByteArray());
                binary.reset();
            }
            client.request(1);
            return null;
        }

        public CompletionStage<?> onPong(WebSocket client, ByteBuffer payload) {
            received.add("pong " + new String(bytes(payload)));
            client.request(1);
            return null;
        }

        public CompletionStage<?> onClose(WebSocket client, int code, String reason) {
            received.add("close " + code + " " + reason);
            return null;
        }

        public void onError(WebSocket client, Throwable error) {
            received.add(error);
        }

        private static byte[] bytes(ByteBuffer buffer) {
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            return bytes;
        }
    }

    static String message(String thing) {
        switch (thing) {
            case "text": return "Hello";
            case "empty": return "";
            case "unicode": return "\u03ba\u03cc\u03c3\u03bc\u03b5 \0\u007f \uffff \ud83d\ude00\ufdfd";
            default:
                StringBuilder text = new StringBuilder();
                for (int i = 0; i < 70_000; i++) text.append((char) (97 + i % 26));
                return text + "\u00e9\u20ac\ud83d\ude00";
        }
    }

    static byte[] binaryMessage() {
        byte[] bytes = new byte[1 << 20];
        for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) (i * 31 + (i >> 8) * 7);
        return bytes;
    }

    /** Does the thing, and returns what must come back. */
    static Object start(WebSocket client, String thing) throws Exception {
        switch (thing) {
            case "bin1m":
                byte[] binary = binaryMessage();
                client.sendBinary(ByteBuffer.wrap(binary), true).get();
                return binary;
            case "frag":
                for (int i = 0; i < PARTS.length; i++) client.sendText(PARTS[i], i == PARTS.length - 1).get();
                return String.join("", PARTS);
            case "ping":
                client.sendPing(ByteBuffer.wrap(PING.getBytes())).get();
                return "pong " + PING;
            case "close1000": return close(client, 1000, "bye");
            case "close3000": return close(client, 3000, "caf\u00e9");
            case "close4999": return close(client, 4999, "x".repeat(123));
            default:
                client.sendText(message(thing), true).get();
                return message(thing);
        }
    }

    static String close(WebSocket client, int code, String reason) throws Exception {
        client.sendClose(code, reason).get();
        return "close " + code + " " + reason;
    }

    static String attempt(HttpClient http, String url, String thing) {
        if (thing.equals("deflate")) return "-\t";
        try {
            Listener listener = new Listener();
            WebSocket client = http.newWebSocketBuilder()
                .buildAsync(URI.create(url), listener).get(LIMIT, TimeUnit.SECONDS);
            Object expected = start(client, thing);
            Object received = listener.received.poll(LIMIT, TimeUnit.SECONDS);
            client.abort();
            boolean isSame = expected instanceof byte[] && received instanceof byte[]
                ? Arrays.equals((byte[]) expected, (byte[]) received) : expected.equals(received);
            String shown = String.valueOf(received);
            return isSame ? "ok\t" : "FAIL\tgot " + shown.substring(0, Math.min(60, shown.length()));
        } catch (Exception error) {
            return "FAIL\t" + error;
        }
    }

    /** Trusts one CA and no other. */
    static SSLContext context(String path) throws Exception {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (var file = Files.newInputStream(Path.of(path))) {
            trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), null);
        return context;
    }

    public static void main(String[] arguments) throws Exception {
        HttpClient http = arguments.length > 1
            ? HttpClient.newBuilder().sslContext(context(arguments[1])).build() : HttpClient.newHttpClient();
        PrintStream output = new PrintStream(System.out, true, "UTF-8");
        for (String thing : THINGS) output.println(thing + "\t" + attempt(http, arguments[0], thing));
        System.exit(0);
    }
}
