// A correct receiver on net/http, as a good engineer writes it who has never heard of the suite. Reads its secrets from
// standard input as JSON: {"/path": {"text": "..."}}; prints its port, and the one of GET /effects.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	mostBytes = 1_100_000
	tolerance = 300
)

var errUnproven = errors.New("not proven")

type credential struct {
	Text string `json:"text"`
}

func main() {
	var credentials map[string]credential
	if err := json.NewDecoder(os.Stdin).Decode(&credentials); err != nil {
		log.Fatal(err)
	}
	kept := &kept{seen: map[string]bool{}, newest: map[string]int{}}
	hooks := http.NewServeMux()
	for path, credential := range credentials {
		hooks.Handle(path, receiver(path, []byte(credential.Text), kept))
	}
	probe := http.NewServeMux()
	probe.HandleFunc("/effects", kept.tell)
	fmt.Println("listening", serve(hooks), serve(probe))
	select {}
}

func serve(handler http.Handler) int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func() { log.Fatal(server.Serve(listener)) }()
	return listener.Addr().(*net.TCPAddr).Port
}

func receiver(path string, secret []byte, kept *kept) http.Handler {
	methods := []string{http.MethodPost}
	if strings.HasPrefix(path, "/hotdocs/") && path != "/hotdocs/ActionLink" {
		methods = []string{http.MethodPost, http.MethodGet, http.MethodPut}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !contains(methods, r.Method) {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			refuse(w, http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBytes))
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			refuse(w, http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			refuse(w, http.StatusBadRequest)
			return
		}
		content, err := prove(r, path, body, secret)
		if err != nil {
			w.Header().Set("WWW-Authenticate", "Signature")
			refuse(w, http.StatusUnauthorized)
			return
		}
		kept.take(path, content)
		answer(w, path)
	})
}

func contains(texts []string, text string) bool {
	for _, each := range texts {
		if each == text {
			return true
		}
	}
	return false
}

func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, `{"ok":false}`)
}

func answer(w http.ResponseWriter, path string) {
	contentType, text := "application/json", `{"ok":true}`
	switch {
	case path == "/hotdocs/ActionLink":
		contentType, text = "text/html; charset=utf-8", "<!doctype html><title>Done</title>"
	case strings.HasPrefix(path, "/hotdocs/"):
		text = "{}"
	}
	w.Header().Set("Content-Type", contentType)
	io.WriteString(w, text)
}

// prove returns the content that the sender vouches for.
func prove(r *http.Request, path string, body, secret []byte) ([]byte, error) {
	switch {
	case path == "/phenixid":
		given, err := signature(r.Header.Get("X-Signature"))
		if err != nil || !hmac.Equal(given, sign(secret, body)) {
			return nil, errUnproven
		}
		return body, nil
	case strings.HasPrefix(path, "/risr/"):
		return verified(strings.TrimSpace(string(body)), secret)
	}
	carried := string(body)
	if r.Method == http.MethodGet {
		carried = r.URL.RawQuery
	}
	fields, err := url.ParseQuery(carried)
	if err != nil {
		return nil, errUnproven
	}
	content, err := verified(fields.Get("token"), secret)
	if err != nil || !inTime(content) {
		return nil, errUnproven
	}
	return content, nil
}

func sign(secret, content []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(content)
	return mac.Sum(nil)
}

func signature(given string) ([]byte, error) {
	if len(given) == 2*sha256.Size {
		return hex.DecodeString(given)
	}
	return base64.StdEncoding.DecodeString(given)
}

func verified(token string, secret []byte) ([]byte, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errUnproven
	}
	var decoded [3][]byte
	for index, part := range parts {
		bytes, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			return nil, errUnproven
		}
		decoded[index] = bytes
	}
	if header := membersOf(decoded[0]); header["alg"] != "HS256" || header["crit"] != nil {
		return nil, errUnproven
	}
	if !hmac.Equal(decoded[2], sign(secret, []byte(parts[0]+"."+parts[1]))) {
		return nil, errUnproven
	}
	return decoded[1], nil
}

func inTime(content []byte) bool {
	claims := membersOf(content)
	now := float64(time.Now().Unix())
	exp, hasExp := claims["exp"]
	nbf, hasNbf := claims["nbf"]
	until, isTime := exp.(float64)
	from, isTimeToo := nbf.(float64)
	return (!hasExp || isTime && until+tolerance > now) && (!hasNbf || isTimeToo && from-tolerance < now)
}

// membersOf is nil where the content is no JSON object.
func membersOf(content []byte) map[string]any {
	var members map[string]any
	if err := json.Unmarshal(content, &members); err != nil {
		return nil
	}
	return members
}

type effect struct {
	Type string `json:"type"`
	Ref  string `json:"ref"`
}

// kept has every event once, no state of a document after a newer one, and what cannot be read put aside.
type kept struct {
	mutex       sync.Mutex
	effects     []effect
	quarantined []effect
	seen        map[string]bool
	newest      map[string]int
}

var (
	order    = regexp.MustCompile(`^Order[A-Z]\w+$`)
	revision = regexp.MustCompile(`^(\d{1,15})-`)
)

func (k *kept) take(path string, content []byte) {
	members := membersOf(content)
	text := func(names ...string) string {
		for _, name := range names {
			if value, ok := members[name].(string); ok && value != "" {
				return value
			}
		}
		return ""
	}
	source, served, _ := strings.Cut(path[1:], "/")
	came := effect{text("eventType"), text("eventId", "webhook_request_id", "taskId", "orderId", "workItemId")}
	if came.Type == "" {
		came.Type = served
	}
	isKnown := came.Type == served || served == "" && order.MatchString(came.Type)

	k.mutex.Lock()
	defer k.mutex.Unlock()
	if members == nil || !isKnown {
		k.quarantined = append(k.quarantined, came)
		return
	}
	key, document := path+" "+came.Ref, path+" "+text("id")
	if source != "phenixid" && came.Type != "ActionLink" {
		if k.seen[key] {
			return
		}
		k.seen[key] = true
	}
	if match := revision.FindStringSubmatch(text("rev")); match != nil {
		count, _ := strconv.Atoi(match[1])
		if count < k.newest[document] {
			return
		}
		k.newest[document] = count
	}
	k.effects = append(k.effects, came)
}

func (k *kept) tell(w http.ResponseWriter, _ *http.Request) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	json.NewEncoder(w).Encode(map[string][]effect{
		"effects":     append([]effect{}, k.effects...),
		"quarantined": append([]effect{}, k.quarantined...),
	})
}
