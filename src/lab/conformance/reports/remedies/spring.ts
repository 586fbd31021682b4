import type { Snippets } from './remedy.ts';

export const spring: Snippets = {
  rawBody: `
@PostMapping("/phenixid")
ResponseEntity<String> receive(HttpServletRequest request) throws IOException {
  byte[] bytes = request.getInputStream().readAllBytes(); // before anything calls getParameter()`,
  comparison: `
Mac mac = Mac.getInstance("HmacSHA256");
mac.init(new SecretKeySpec(secret, "HmacSHA256"));
boolean holds = text.matches("[0-9a-f]{64}")
    && MessageDigest.isEqual(mac.doFinal(bytes), HexFormat.of().parseHex(text));`,
  token: `
JWSObject jws = JWSObject.parse(token); // Nimbus JOSE + JWT
if (!jws.getHeader().getAlgorithm().equals(JWSAlgorithm.HS256)
    || !jws.verify(new MACVerifier(secretOfThisEndpoint))) throw new Refused();
byte[] content = jws.getPayload().toBytes();`,
  place: `
// Of the body alone: getParameter() takes the query, too.
var form = UriComponentsBuilder.newInstance().query(new String(bytes, UTF_8)).build().getQueryParams();
if (form.getOrDefault("token", List.of()).size() != 1) throw new Refused();`,
  storeFirst: `
jdbc.update("INSERT INTO inbox (endpoint, body) VALUES (?, ?)", endpoint, bytes); // committed here
return ResponseEntity.ok("{\\"ok\\":true}"); // a worker reads the table, and puts aside what it cannot use`,
  duplicates: `
@Transactional // a duplicate is answered as the first was
void handleOnce(String endpoint, String id, Event event) {
  int rows = jdbc.update("INSERT INTO seen (endpoint, id) VALUES (?, ?) ON CONFLICT DO NOTHING", endpoint, id);
  if (rows == 1) handle(event);
}`,
  order: `
int revision = Integer.parseInt(rev.split("-")[0]); // "10-x" is newer than "9-x"
jdbc.update("UPDATE profile SET rev = ?, data = ? WHERE id = ? AND rev < ?", revision, data, id, revision);`,
  limits: `
server.max-http-request-header-size=16KB
server.tomcat.max-swallow-size=1MB
# and in the code: byte[] bytes = request.getInputStream().readNBytes(1_048_577); more than 1_048_576: 413`,
  timeouts: `
server.tomcat.connection-timeout=10s
server.tomcat.keep-alive-timeout=10s`,
  errors: `
@ExceptionHandler(Refused.class)
ResponseEntity<String> refuse() {
  return ResponseEntity.status(401).header("WWW-Authenticate", "Signature").body("{\\"ok\\":false}");
}
// application.properties: server.error.include-message=never, server.error.include-stacktrace=never`,
  methods: `
@PostMapping("/phenixid") // other methods get 405 with Allow by themselves
// application.properties: spring.mvc.hiddenmethod.filter.enabled=false`,
  escape: `
String escaped = HtmlUtils.htmlEscape(text); // in Thymeleaf th:text, never th:utext`,
};
