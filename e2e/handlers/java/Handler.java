import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * A Lambda function that reads its secrets from its environment only, as a
 * function does that knows of no secret store. It understands names, files and
 * digests of the Go function's events.
 */
public class Handler {
    public Map<String, String> handle(Map<String, List<String>> asked) throws IOException, NoSuchAlgorithmException {
        Map<String, String> seen = new HashMap<>();
        for (String name : asked.getOrDefault("names", List.of())) {
            seen.put(name, text(lookup(name)));
        }
        for (String name : asked.getOrDefault("files", List.of())) {
            seen.put(name, text(Files.readAllBytes(Path.of(System.getenv(name)))));
        }
        for (String name : asked.getOrDefault("digests", List.of())) {
            seen.put(name, digest(lookup(name)));
        }
        return seen;
    }

    /** Returns the bytes of the variable, or of the file that NAME_FILE names, null if neither is there. */
    private static byte[] lookup(String name) throws IOException {
        String path = System.getenv(name + "_FILE");
        if (path != null) {
            return Files.readAllBytes(Path.of(path));
        }
        String value = System.getenv(name);
        return value == null ? null : value.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] value) {
        return value == null ? null : new String(value, StandardCharsets.UTF_8);
    }

    private static String digest(byte[] value) throws NoSuchAlgorithmException {
        return value == null ? null : HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(value));
    }
}
