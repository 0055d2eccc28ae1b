package entrasim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Fault is one deviation of the simulation, as data. Which calls it meets is
// said by Tenant, Method, Path, Item, Nth, Times and Probability; what happens
// to them by the other fields. All fields are optional.
type Fault struct {
	// Name is for people. With Preset it may be left out.
	Name string `json:"name,omitempty"`
	// Preset names a ready-made fault that fills the fields left empty; see Presets.
	Preset string `json:"preset,omitempty"`

	// Tenant is a tenant's name; empty means every tenant.
	Tenant string `json:"tenant,omitempty"`
	// Method is an HTTP method; empty means any.
	Method string `json:"method,omitempty"`
	// Path is compared with the decoded path below /v1.0, such as /users/delta or
	// /$batch. It is a regular expression when it begins with ^, else a glob: * is
	// any text without a slash, ** any text. The token endpoint,
	// /{tenant}/oauth2/v2.0/token, is met only by faults whose path says so; empty
	// means every call of Graph.
	Path string `json:"path,omitempty"`
	// Item narrows to HTTP requests ("outer"), to items of batches ("inner") or to
	// the batch item of that id; empty means both.
	Item string `json:"item,omitempty"`
	// Nth is the first matching call that is met, from 1; 0 is 1.
	Nth int `json:"nth,omitempty"`
	// Times is how many are met; 0 means one when Nth is given, else all.
	Times int `json:"times,omitempty"`
	// Probability of meeting each of them; 0 is 1.
	Probability float64 `json:"probability,omitempty"`

	// Status, Code and Message make an error in Graph's shape.
	Status  int    `json:"status,omitempty"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	// RetryAfter is the header as sent: seconds, a fraction, a date. "+45s" is
	// sent as the date that is so long after the answer.
	RetryAfter string `json:"retryAfter,omitempty"`
	// Body replaces the error's body as it is; "-" is an empty body.
	Body string `json:"body,omitempty"`
	// Headers are added to the answer.
	Headers map[string]string `json:"headers,omitempty"`
	// Effect is "before" (default): the call does nothing; or "after": the call
	// takes effect and its answer is lost to the error.
	Effect string `json:"effect,omitempty"`

	// Close breaks the connection instead of answering.
	Close bool `json:"close,omitempty"`
	// Delay holds the answer back.
	Delay Duration `json:"delay,omitempty"`
	// Truncate breaks the connection after so many bytes of the true answer;
	// Cut ends the true answer after so many bytes as if that were all, CutEnd as
	// many bytes before its end.
	Truncate int `json:"truncate,omitempty"`
	Cut      int `json:"cut,omitempty"`
	CutEnd   int `json:"cutEnd,omitempty"`

	// Round spoils delta rounds without breaking a promise of Graph's: duplicate,
	// shuffle, replay, tombstones, emptyPage. With dropLink a page, of a list too,
	// loses its link; with sameLink a page between the first and the last leads to
	// itself; with elsewhere its link leads to another host. shuffle on /$batch
	// disorders the responses.
	Round string `json:"round,omitempty"`
	// PageSize replaces the page size of delta rounds.
	PageSize int `json:"pageSize,omitempty"`
}

// Duration is a time.Duration written as text ("1.5s") in JSON.
type Duration time.Duration

// MarshalText writes the duration as time.Duration does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads a duration such as "250ms".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return err
	}
	*d = Duration(v)
	return nil
}

// Presets returns the ready-made faults by name.
func Presets() map[string]Fault {
	return map[string]Fault{
		"throttled":         {Status: 429, Code: "TooManyRequests", Message: "Too many requests.", RetryAfter: "10"},
		"throttledSilently": {Status: 429, Code: "UnknownError"},
		"throttledUntil":    {Status: 429, Code: "TooManyRequests", Message: "Too many requests.", RetryAfter: "+45s"},
		"throttledFraction": {Status: 429, Code: "TooManyRequests", Message: "Too many requests.", RetryAfter: "2.128"},
		"unavailable":       {Status: 503, Code: "ServiceNotAvailable", Message: "Service is temporarily unavailable."},
		"gateway":           {Status: 503, Body: "<html><head><title>503 Service Unavailable</title></head><body>Service Unavailable</body></html>", Headers: map[string]string{"Content-Type": "text/html"}},
		"emptyError":        {Status: 500, Body: "-"},
		"lostAnswer":        {Effect: "after", Close: true},
		"reset":             {Close: true},
		"invitationHiccup":  {Method: "POST", Path: "/invitations", Status: 500, Code: "InternalServerError", Message: "Unable to find target address"},
		"suspicious":        {Method: "POST", Path: "/invitations", Status: 403, Code: "Forbidden", Message: "Invitations are blocked for this directory due to suspicious activity. Contact support."},
		"notReplicated":     {Method: "PATCH", Path: "/users/*", Status: 404, Code: "Directory_ObjectNotFound", Message: "Unable to read the company information from the directory."},
		"resync":            {Method: "GET", Path: "/users/delta", Status: 410, Code: "resyncRequired", Message: "Resync required."},
		"resyncBadRequest":  {Method: "GET", Path: "/users/delta", Status: 400, Code: "syncStateNotFound", Message: "The sync state generation is not found."},
		"resyncEmpty":       {Method: "GET", Path: "/users/delta", Status: 410, Body: "{}"},
		"tokenExpired":      {Status: 401, Code: "InvalidAuthenticationToken", Message: "Lifetime validation failed, the token is expired."},
		"claimsChallenge":   {Status: 401, Code: "InvalidAuthenticationToken", Message: "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenCreatedWithOutdatedPolicies", Headers: map[string]string{"WWW-Authenticate": `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000", errorDescription="Continuous access evaluation resulted in challenge", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19fQ=="`}},
		"duplicates":        {Method: "GET", Path: "/*/delta", Round: "duplicate"},
		"shuffledBatch":     {Method: "POST", Path: "/$batch", Round: "shuffle"},
		"shuffled":          {Method: "GET", Path: "/*/delta", Round: "shuffle"},
		"replayed":          {Method: "GET", Path: "/*/delta", Round: "replay"},
		"tombstones":        {Method: "GET", Path: "/*/delta", Round: "tombstones"},
		"emptyPages":        {Method: "GET", Path: "/*/delta", Round: "emptyPage", Probability: 0.5},
		"smallPages":        {Method: "GET", Path: "/*/delta", PageSize: 3},
	}
}

// ErrFault reports a fault file that cannot be played.
var ErrFault = errors.New("invalid fault")

// ParseFaults reads a JSON array of faults. Unknown keys, presets, effects and
// rounds and malformed patterns are errors that name the fault.
func ParseFaults(r io.Reader) ([]Fault, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	var list []Fault
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFault, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: text after the array", ErrFault)
	}
	for i, f := range list {
		if _, err := f.compile(); err != nil {
			return nil, fmt.Errorf("faults[%d]: %w", i, err)
		}
	}
	return list, nil
}

// fill completes a fault from its preset.
func (f Fault) fill() (Fault, error) {
	if f.Preset == "" {
		return f, nil
	}
	p, ok := Presets()[f.Preset]
	if !ok {
		return f, fmt.Errorf("%w: preset %q unknown", ErrFault, f.Preset)
	}
	base, _ := json.Marshal(p) // plain data: cannot fail
	over, _ := json.Marshal(f)
	var out Fault
	if err := errors.Join(json.Unmarshal(base, &out), json.Unmarshal(over, &out)); err != nil {
		return f, fmt.Errorf("%w: %w", ErrFault, err)
	}
	return out, nil
}

// liveFault is a fault with its pattern and its count.
type liveFault struct {
	Fault
	path *regexp.Regexp // nil: any
	seen int
	met  int
}

func (f Fault) compile() (*liveFault, error) {
	f, err := f.fill()
	if err != nil {
		return nil, err
	}
	switch f.Effect {
	case "", "before", "after":
	default:
		return nil, fmt.Errorf("%w: effect %q is neither before nor after", ErrFault, f.Effect)
	}
	switch f.Round {
	case "", "duplicate", "shuffle", "replay", "tombstones", "emptyPage", "dropLink", "sameLink", "elsewhere":
	default:
		return nil, fmt.Errorf("%w: round %q unknown", ErrFault, f.Round)
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return nil, fmt.Errorf("%w: status %d is out of range", ErrFault, f.Status)
	}
	if f.Probability < 0 || f.Probability > 1 {
		return nil, fmt.Errorf("%w: probability %v is not between 0 and 1", ErrFault, f.Probability)
	}
	if f.Nth < 0 || f.Times < 0 || f.Truncate < 0 || f.Cut < 0 || f.CutEnd < 0 || f.PageSize < 0 || f.Delay < 0 {
		return nil, fmt.Errorf("%w: a number is negative", ErrFault)
	}
	lf := &liveFault{Fault: f}
	if f.Path != "" {
		if lf.path, err = regexp.Compile(pathPattern(f.Path)); err != nil {
			return nil, fmt.Errorf("%w: path: %w", ErrFault, err)
		}
	}
	return lf, nil
}

// pathPattern turns a glob into a regular expression.
func pathPattern(p string) string {
	if strings.HasPrefix(p, "^") {
		return p
	}
	q := regexp.QuoteMeta(p)
	q = strings.ReplaceAll(q, `\*\*`, `.*`)
	q = strings.ReplaceAll(q, `\*`, `[^/]*`)
	return "^" + q + "$"
}

// faultSet is the faults in play, per tenant ("" for all), with their counts.
type faultSet struct {
	mu   sync.Mutex
	sets map[string][]*liveFault
	none bool
}

func newFaultSet(faults []Fault) *faultSet {
	s := &faultSet{sets: map[string][]*liveFault{}}
	s.replace("", faults)
	return s
}

// replace sets the faults of one owner. A fault that does not compile is
// dropped: ParseFaults is where files are judged.
func (s *faultSet) replace(owner string, faults []Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sets, owner)
	for _, f := range faults {
		if owner != "" {
			f.Tenant = owner
		}
		if lf, err := f.compile(); err == nil {
			s.sets[owner] = append(s.sets[owner], lf)
		}
	}
	s.none = len(s.sets) == 0
}

// pick returns the faults that meet a call and counts them.
func (s *faultSet) pick(x *call, tenant string) []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.none {
		return nil
	}
	var out []Fault
	for _, owner := range []string{tenant, ""} {
		for _, f := range s.sets[owner] {
			if f.matches(x, tenant) && f.due(x.cloud) {
				out = append(out, f.Fault)
			}
		}
		if tenant == "" {
			break
		}
	}
	return out
}

func (f *liveFault) matches(x *call, tenant string) bool {
	switch {
	case f.Tenant != "" && !strings.EqualFold(f.Tenant, tenant),
		x.authority && f.path == nil,
		f.Method != "" && !strings.EqualFold(f.Method, x.method),
		f.Item == "outer" && x.inner, f.Item == "inner" && !x.inner,
		f.Item != "" && f.Item != "outer" && f.Item != "inner" && (!x.inner || f.Item != x.item),
		f.path != nil && !f.path.MatchString(canonical(x.path)):
		return false
	}
	return true
}

// canonical writes the variants of the delta function in one way.
func canonical(path string) string {
	path = strings.TrimSuffix(path, "()")
	return strings.Replace(path, "/microsoft.graph.delta", "/delta", 1)
}

// due counts a matching call and says whether it is met.
func (f *liveFault) due(c *Cloud) bool {
	f.seen++
	times := f.Times
	if times == 0 && f.Nth > 0 {
		times = 1
	}
	if f.seen < f.Nth || times > 0 && f.met >= times {
		return false
	}
	if f.Probability > 0 && c.randomFloat() >= f.Probability {
		return false
	}
	f.met++
	return true
}

// around plays the faults that meet a call around its true execution.
func (s *faultSet) around(ctx context.Context, x *call, tenant string, serve func() response) response {
	faults := s.pick(x, tenant)
	if len(faults) == 0 {
		return serve()
	}
	var verdict *Fault
	for i := range faults {
		f := &faults[i]
		x.wait(ctx, time.Duration(f.Delay))
		if f.Status != 0 || f.Close {
			verdict = f
			break
		}
		x.spoil(f)
	}
	if verdict != nil {
		if verdict.Effect == "after" {
			serve()
		}
		return x.faulty(verdict)
	}
	resp := serve()
	for _, f := range faults {
		for name, value := range f.Headers {
			if resp.header == nil {
				resp.header = map[string]string{}
			}
			resp.header[http.CanonicalHeaderKey(name)] = value
		}
		if f.Truncate > 0 {
			resp.cut = f.Truncate
		}
		if f.Cut > 0 && f.Cut < len(resp.body) {
			resp.body = resp.body[:f.Cut]
		}
		if f.CutEnd > 0 {
			resp.body = resp.body[:max(len(resp.body)-f.CutEnd, 0)]
		}
	}
	return resp
}

// wait holds a call back, but not beyond its context.
func (x *call) wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		x.now = time.Now()
	case <-ctx.Done():
	}
}

// faulty is the answer a fault gives in place of the true one.
func (x *call) faulty(f *Fault) response {
	if f.Close {
		return response{reset: true, answer: answer{status: http.StatusBadGateway}}
	}
	a := x.fail(f.Status, f.Code, f.Message)
	switch f.Body {
	case "":
	case "-":
		a.body = nil
	default:
		a.body = []byte(f.Body)
	}
	a.header = map[string]string{}
	for name, value := range f.Headers {
		a.header[http.CanonicalHeaderKey(name)] = value
	}
	if f.RetryAfter != "" {
		a.header["Retry-After"] = retryAfter(f.RetryAfter, x.now)
	}
	if f.Status == http.StatusTooManyRequests && x.tenant != nil {
		x.tenant.counts.throttled()
	}
	return response{answer: a}
}

// retryAfter is the header a fault asks for, as sent at the given time.
func retryAfter(text string, now time.Time) string {
	if d, err := time.ParseDuration(text); err == nil && strings.HasPrefix(text, "+") {
		return now.Add(d).UTC().Format(http.TimeFormat)
	}
	return text
}

// spoil notes what a fault does to the page that is about to be written.
func (x *call) spoil(f *Fault) {
	if f.Round != "" {
		x.spoiled = f.Round
	}
	if f.PageSize > 0 {
		x.pageSize = f.PageSize
	}
}
