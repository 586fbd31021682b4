import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * A correct receiver on the HTTP server of the JDK, as a good engineer writes it who has never heard of the suite. Reads its
 * secrets from standard input as JSON: {"/path": {"text": "..."}}; prints its port, and the one of GET /effects.
 */
public class Receiver implements HttpHandler {
  private static final int MOST_BYTES = 1_100_000;
  private static final int TOLERANCE_S = 300;

  private final String path;
  private final byte[] secret;
  private final Kept kept;

  Receiver(String path, byte[] secret, Kept kept) {
    this.path = path;
    this.secret = secret;
    this.kept = kept;
  }

  public static void main(String[] args) throws IOException {
    System.setProperty("sun.net.httpserver.nodelay", "true");
    System.setProperty("sun.net.httpserver.maxReqTime", "10");
    var kept = new Kept();
    var handlers = new HashMap<String, HttpHandler>();
    var credentials = Json.membersOf(System.in.readAllBytes()).orElseThrow();
    credentials.forEach(
        (path, credential) -> {
          var text = (String) ((Map<?, ?>) credential).get("text");
          handlers.put(path, new Receiver(path, text.getBytes(StandardCharsets.UTF_8), kept));
        });
    int hooks = listen(handlers);
    int probe = listen(Map.of("/effects", exchange -> reply(exchange, 200, "application/json", kept.toJson())));
    System.out.println("listening " + hooks + " " + probe);
  }

  private static int listen(Map<String, HttpHandler> handlers) throws IOException {
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            // A context would serve whatever begins with its path.
            var handler = handlers.get(exchange.getRequestURI().getRawPath());
            if (handler == null) refuse(exchange, 404);
            else handler.handle(exchange);
          }
        });
    server.setExecutor(Executors.newCachedThreadPool());
    server.start();
    return server.getAddress().getPort();
  }

  @Override
  public void handle(HttpExchange exchange) throws IOException {
    boolean isCallback = path.startsWith("/hotdocs/") && !path.equals("/hotdocs/ActionLink");
    var methods = isCallback ? List.of("POST", "GET", "PUT") : List.of("POST");
    if (!methods.contains(exchange.getRequestMethod())) {
      exchange.getResponseHeaders().set("Allow", String.join(", ", methods));
      refuse(exchange, 405);
      return;
    }
    byte[] body;
    try {
      body = exchange.getRequestBody().readNBytes(MOST_BYTES + 1);
    } catch (IOException unreadable) {
      exchange.getResponseHeaders().set("Connection", "close");
      refuse(exchange, 400);
      return;
    }
    if (body.length > MOST_BYTES) {
      exchange.getResponseHeaders().set("Connection", "close");
      refuse(exchange, 413);
      return;
    }
    byte[] content;
    try {
      content = proven(exchange, body);
    } catch (GeneralSecurityException | IllegalArgumentException unproven) {
      exchange.getResponseHeaders().set("WWW-Authenticate", "Signature");
      refuse(exchange, 401);
      return;
    }
    kept.take(path, content);
    if (path.equals("/hotdocs/ActionLink"))
      reply(exchange, 200, "text/html; charset=utf-8", "<!doctype html><title>Done</title>");
    else reply(exchange, 200, "application/json", isCallback ? "{}" : "{\"ok\":true}");
  }

  private static void refuse(HttpExchange exchange, int status) throws IOException {
    reply(exchange, status, "application/json", "{\"ok\":false}");
  }

  private static void reply(HttpExchange exchange, int status, String type, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    boolean isHead = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, isHead ? -1 : bytes.length);
    if (!isHead) exchange.getResponseBody().write(bytes);
  }

  /** What the sender vouches for. */
  private byte[] proven(HttpExchange exchange, byte[] body) throws GeneralSecurityException {
    if (path.equals("/phenixid")) {
      var header = exchange.getRequestHeaders().getFirst("X-Signature");
      var given = header == null ? "" : header;
      byte[] signature =
          given.length() == 64 ? HexFormat.of().parseHex(given) : Base64.getDecoder().decode(given);
      if (!MessageDigest.isEqual(signature, sign(body))) throw new GeneralSecurityException("signature");
      return body;
    }
    var text = new String(body, StandardCharsets.ISO_8859_1);
    if (path.startsWith("/risr/")) return verified(text.strip());
    var query = exchange.getRequestURI().getRawQuery();
    var carried = exchange.getRequestMethod().equals("GET") ? (query == null ? "" : query) : text;
    byte[] content = verified(field(carried, "token"));
    if (!isInTime(Json.membersOf(content).orElse(Map.of()))) throw new GeneralSecurityException("time");
    return content;
  }

  private static String field(String form, String name) {
    for (String pair : form.split("&")) {
      int at = pair.indexOf('=');
      if (at > 0 && URLDecoder.decode(pair.substring(0, at), StandardCharsets.UTF_8).equals(name))
        return URLDecoder.decode(pair.substring(at + 1), StandardCharsets.UTF_8);
    }
    return "";
  }

  private byte[] sign(byte[] content) throws GeneralSecurityException {
    var mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(secret, "HmacSHA256"));
    return mac.doFinal(content);
  }

  private byte[] verified(String token) throws GeneralSecurityException {
    var parts = token.split("\\.", -1);
    if (parts.length != 3) throw new GeneralSecurityException("not three parts");
    var decoder = Base64.getUrlDecoder();
    var header = Json.membersOf(decoder.decode(parts[0])).orElse(Map.of());
    if (!"HS256".equals(header.get("alg")) || header.containsKey("crit"))
      throw new GeneralSecurityException("algorithm");
    byte[] right = sign((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
    if (!MessageDigest.isEqual(decoder.decode(parts[2]), right)) throw new GeneralSecurityException("signature");
    return decoder.decode(parts[1]);
  }

  private static boolean isInTime(Map<String, Object> claims) {
    double now = Instant.now().getEpochSecond();
    if (!(claims.getOrDefault("exp", now) instanceof Double until)) return false;
    if (!(claims.getOrDefault("nbf", now) instanceof Double from)) return false;
    return until + TOLERANCE_S > now && from - TOLERANCE_S < now;
  }

  /** Every event once, no state of a document after a newer one, and what cannot be read put aside. */
  private static class Kept {
    private static final Pattern ORDER = Pattern.compile("Order[A-Z]\\w+");
    private static final Pattern REVISION = Pattern.compile("(\\d{1,15})-.*", Pattern.DOTALL);
    private static final String[] IDS = {"eventId", "webhook_request_id", "taskId", "orderId", "workItemId"};

    private final List<Map<String, String>> effects = new ArrayList<>();
    private final List<Map<String, String>> quarantined = new ArrayList<>();
    private final Set<String> seen = new HashSet<>();
    private final Map<String, Long> newest = new HashMap<>();

    synchronized void take(String path, byte[] content) {
      var members = Json.membersOf(content);
      var names = path.substring(1).split("/");
      String served = names.length > 1 ? names[1] : "";
      var event = members.orElse(Map.of());
      String named = first(event, "eventType");
      String type = named.isEmpty() ? served : named;
      String ref = first(event, IDS);
      boolean isKnown = served.isEmpty() ? ORDER.matcher(type).matches() : type.equals(served);
      if (members.isEmpty() || !isKnown) {
        quarantined.add(Map.of("type", type, "ref", ref));
        return;
      }
      boolean hasId = !names[0].equals("phenixid") && !type.equals("ActionLink");
      if (hasId && !seen.add(path + " " + ref)) return;
      Matcher revision = REVISION.matcher(first(event, "rev"));
      if (revision.matches()) {
        String document = path + " " + first(event, "id");
        long count = Long.parseLong(revision.group(1));
        if (count < newest.getOrDefault(document, 0L)) return;
        newest.put(document, count);
      }
      effects.add(Map.of("type", type, "ref", ref));
    }

    private static String first(Map<String, Object> members, String... names) {
      for (String name : names)
        if (members.get(name) instanceof String text && !text.isEmpty()) return text;
      return "";
    }

    synchronized String toJson() {
      return "{\"effects\":" + list(effects) + ",\"quarantined\":" + list(quarantined) + "}";
    }

    private static String list(List<Map<String, String>> events) {
      return events.stream()
          .map(event -> "{\"type\":" + Json.quoted(event.get("type")) + ",\"ref\":" + Json.quoted(event.get("ref")) + "}")
          .collect(Collectors.joining(",", "[", "]"));
    }
  }

  /** JSON as RFC 8259 has it; an object is a Map, a number a Double. */
  private static class Json {
    private static final int MOST_DEPTH = 200;
    private static final Pattern NUMBER = Pattern.compile("-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?");

    private final String text;
    private int at = 0;

    private Json(String text) {
      this.text = text;
    }

    /** Nothing where it is no object. */
    @SuppressWarnings("unchecked") // as `object` makes it
    static Optional<Map<String, Object>> membersOf(byte[] bytes) {
      try {
        var json = new Json(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        Object value = json.value(0);
        json.blanks();
        boolean isObject = value instanceof Map && json.at == json.text.length();
        return isObject ? Optional.of((Map<String, Object>) value) : Optional.empty();
      } catch (CharacterCodingException | IllegalArgumentException | IndexOutOfBoundsException notJson) {
        return Optional.empty();
      }
    }

    static String quoted(String text) {
      var json = new StringBuilder("\"");
      for (char each : text.toCharArray())
        if (each < ' ' || each == '"' || each == '\\' || each > '~') json.append(String.format("\\u%04x", (int) each));
        else json.append(each);
      return json.append('"').toString();
    }

    private Object value(int depth) {
      if (depth > MOST_DEPTH) throw new IllegalArgumentException("too deep");
      blanks();
      switch (text.charAt(at)) {
        case '{':
          return object(depth + 1);
        case '[':
          return list(depth + 1);
        case '"':
          return string();
        case 't':
          return word("true", true);
        case 'f':
          return word("false", false);
        case 'n':
          return word("null", null);
        default:
          return number();
      }
    }

    private Map<String, Object> object(int depth) {
      var members = new LinkedHashMap<String, Object>();
      at++;
      if (isNext('}')) return members;
      do {
        blanks();
        String name = string();
        demand(':');
        members.put(name, value(depth));
      } while (isNext(','));
      demand('}');
      return members;
    }

    private List<Object> list(int depth) {
      var items = new ArrayList<>();
      at++;
      if (isNext(']')) return items;
      do items.add(value(depth));
      while (isNext(','));
      demand(']');
      return items;
    }

    private String string() {
      demand('"');
      var string = new StringBuilder();
      for (char next = text.charAt(at++); next != '"'; next = text.charAt(at++)) {
        if (next < ' ') throw new IllegalArgumentException("control character");
        string.append(next == '\\' ? escaped() : next);
      }
      return string.toString();
    }

    private char escaped() {
      char mark = text.charAt(at++);
      if (mark == 'u') {
        at += 4;
        return (char) Integer.parseInt(text.substring(at - 4, at), 16);
      }
      int index = "\"\\/bfnrt".indexOf(mark);
      if (index < 0) throw new IllegalArgumentException("escape");
      return "\"\\/\b\f\n\r\t".charAt(index);
    }

    private Double number() {
      Matcher number = NUMBER.matcher(text).region(at, text.length());
      if (!number.lookingAt()) throw new IllegalArgumentException("not a value");
      at = number.end();
      return Double.valueOf(number.group());
    }

    private Object word(String word, Object value) {
      if (!text.startsWith(word, at)) throw new IllegalArgumentException("not a value");
      at += word.length();
      return value;
    }

    private void demand(char mark) {
      if (!isNext(mark)) throw new IllegalArgumentException("expected " + mark);
    }

    private boolean isNext(char mark) {
      blanks();
      if (at >= text.length() || text.charAt(at) != mark) return false;
      at++;
      return true;
    }

    private void blanks() {
      while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
    }
  }
}
