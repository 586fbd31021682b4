import type { Snippets } from './remedy.ts';

export const go: Snippets = {
  rawBody: `
body, err := io.ReadAll(r.Body) // before r.ParseForm: verify it, then json.Unmarshal(body, &event)`,
  comparison: `
mac := hmac.New(sha256.New, secret)
mac.Write(body)
given, err := hex.DecodeString(text)
holds := err == nil && hmac.Equal(given, mac.Sum(nil))`,
  token: `
token, err := jwt.Parse(text, // github.com/golang-jwt/jwt/v5
	func(*jwt.Token) (any, error) { return secretOfThisEndpoint, nil },
	jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding())`,
  place: `
form, err := url.ParseQuery(string(body)) // of the body alone: r.FormValue takes the query, too
if err != nil || len(form["token"]) != 1 {
	refuse(w)
	return
}`,
  storeFirst: `
if _, err := db.ExecContext(r.Context(), "INSERT INTO inbox (endpoint, body) VALUES ($1, $2)", endpoint, body); err != nil {
	w.Header().Set("Retry-After", "30")
	w.WriteHeader(http.StatusServiceUnavailable)
	return
}
io.WriteString(w, \`{"ok":true}\`) // a worker reads the table, and puts aside what it cannot use`,
  duplicates: `
result, err := tx.ExecContext(ctx, "INSERT INTO seen (endpoint, id) VALUES ($1, $2) ON CONFLICT DO NOTHING", endpoint, id)
if err != nil {
	return err
}
if rows, _ := result.RowsAffected(); rows == 1 {
	err = handle(ctx, tx, event) // a duplicate is answered as the first was
}`,
  order: `
number, _, _ := strings.Cut(rev, "-") // "10-x" is newer than "9-x"
revision, err := strconv.Atoi(number)
_, err = db.ExecContext(ctx, "UPDATE profile SET rev = $2, data = $3 WHERE id = $1 AND rev < $2", id, revision, data)`,
  limits: `
body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
var tooLarge *http.MaxBytesError
if errors.As(err, &tooLarge) {
	w.WriteHeader(http.StatusRequestEntityTooLarge)
	return
} // and http.Server{MaxHeaderBytes: 16 << 10}`,
  timeouts: `
server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 15 * time.Second}`,
  errors: `
func refuse(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", "Signature")
	w.WriteHeader(http.StatusUnauthorized)
	io.WriteString(w, \`{"ok":false}\`)
}`,
  methods: `
mux.HandleFunc("POST /phenixid", receive) // other methods get 405 with Allow by themselves
// ServeMux redirects //phenixid: where that matters, compare r.URL.Path in a handler in front of it`,
  escape: `
escaped := html.EscapeString(text) // or html/template, never template.HTML(text)`,
};
