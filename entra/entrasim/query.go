package entrasim

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// maxTop is the largest page a client may ask for.
const maxTop = 999

// projection is a compiled $select: which properties to write and how.
type projection struct {
	names   []string // as the client wrote them, for the context URL
	columns []column // sorted by name
	id      bool     // id is written whether selected or not
	// manager is set when the manager is part of the answer.
	manager bool
	members bool
}

type column struct {
	name  string
	key   string // `"name":`
	empty string // what stands for no value
	open  bool   // a directory extension, of which Graph lists only values
}

// compileSelect builds a projection from property names; no names select the
// default set. Unknown names give Graph's answer.
func (x *call) compileSelect(s *schema, names []string, collection bool) (*projection, *answer) {
	p := &projection{names: names}
	if len(names) == 0 {
		names = s.defaults
		p.names = nil
	}
	p.columns = make([]column, 0, len(names))
	for _, name := range names {
		d, found := s.lookup(name)
		if !found {
			a := x.parseError("Parsing OData Select and Expand failed: Could not find a property named '%s' on type '%s'.", name, s.typeName())
			return nil, &a
		}
		if d.remote && collection {
			a := x.fail(http.StatusNotImplemented, "NotImplemented", "The property '"+name+"' is not supported in this query.")
			return nil, &a
		}
		if d.access == accessReference {
			p.manager = p.manager || d.name == "manager"
			p.members = p.members || d.name == "members"
			continue
		}
		if !slices.ContainsFunc(p.columns, func(c column) bool { return c.name == d.name }) {
			p.columns = append(p.columns, column{d.name, quote(d.name) + ":", d.empty(), d.typ == typeExtension})
		}
	}
	sort.Slice(p.columns, func(i, j int) bool { return p.columns[i].name < p.columns[j].name })
	return p, nil
}

func (s *schema) typeName() string {
	switch s {
	case groupProperties:
		return "microsoft.graph.group"
	case contactProperties:
		return "microsoft.graph.orgContact"
	default:
		return "microsoft.graph.user"
	}
}

// selected splits the $select option of a call.
func (x *call) selected() []string {
	var out []string
	for name := range strings.SplitSeq(x.query.Get("$select"), ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// appendMembers appends the selected properties of an object to its text so far.
// Properties without a value are written as Graph shows them.
func (p *projection) appendMembers(dst []byte, o *object) []byte {
	props := o.props
	for i := range p.columns {
		c := &p.columns[i]
		for len(props) > 0 && props[0].name < c.name {
			props = props[1:]
		}
		raw := c.empty
		if len(props) > 0 && props[0].name == c.name && !isNull(props[0].raw) {
			raw = props[0].raw
		} else if c.open {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, c.key...)
		dst = append(dst, raw...)
	}
	return dst
}

// appendObject appends an object with its selected properties.
func (p *projection) appendObject(dst []byte, o *object, typed bool) []byte {
	dst = append(dst, '{')
	if typed {
		dst = append(dst, `"@odata.type":"`...)
		dst = append(dst, o.kind.odataType()...)
		dst = append(dst, '"')
	}
	return append(p.appendMembers(dst, o), '}')
}

// contextOf names a collection and its $select as @odata.context does.
func (p *projection) contextOf(set string) string {
	if len(p.names) == 0 {
		return set
	}
	return set + "(" + strings.Join(p.names, ",") + ")"
}

// top reads $top.
func (x *call) top() (int, *answer) {
	raw := x.query.Get("$top")
	if raw == "" {
		return x.cloud.opts.ListPageDefault, nil
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 1 || n > maxTop {
		a := x.fail(http.StatusBadRequest, "Request_BadRequest", "Invalid page size specified: '"+raw+"'. Must be between 1 and 999 inclusive.")
		return 0, &a
	}
	return n, nil
}

// advanced reports whether the call carries what advanced queries need.
func (x *call) advanced() bool {
	return strings.EqualFold(x.header.Get("ConsistencyLevel"), "eventual") && x.query.Get("$count") == "true"
}

// unsupported is Graph's answer to an advanced query without its headers.
func (x *call) unsupported() *answer {
	a := x.fail(http.StatusBadRequest, "Request_UnsupportedQuery",
		"The query needs the header ConsistencyLevel: eventual and $count=true.")
	return &a
}

// Tokens in links are opaque to clients: state as JSON, signed, in base64.
// listToken is the state of a paged list.
type listToken struct {
	Set    string   `json:"s"`
	Tenant string   `json:"t"`
	After  uint64   `json:"a,omitempty"`
	Offset int      `json:"o,omitempty"`
	Top    int      `json:"n"`
	Select []string `json:"p,omitempty"`
	Filter string   `json:"f,omitempty"`
	Order  string   `json:"r,omitempty"`
	Expand string   `json:"e,omitempty"`
	Count  bool     `json:"c,omitempty"`
}

var errToken = errors.New("malformed token")

// seal writes a token, open reads it back.
func (c *Cloud) seal(v any) string {
	text, _ := json.Marshal(v) // plain structs: cannot fail
	text = append(text, c.sign(string(text))[:8]...)
	return base64.RawURLEncoding.EncodeToString(text)
}

func (c *Cloud) open(token string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < 9 {
		return errToken
	}
	text, sum := b[:len(b)-8], b[len(b)-8:]
	if !hmac.Equal(sum, c.sign(string(text))[:8]) {
		return errToken
	}
	if json.Unmarshal(text, v) != nil {
		return errToken
	}
	return nil
}

// link builds an absolute URL on the host the request came to.
func (x *call) link(path, option, token string) string {
	root := x.root
	if u, err := url.Parse(root); err == nil && x.spoiled == "elsewhere" {
		u.Host = strings.Replace(u.Host, u.Hostname(), u.Hostname()+".elsewhere.example", 1)
		root = u.String()
	}
	return root + "/" + x.version + path + "?" + option + "=" + token
}

// decodeOpaque reports whether a token has the outer form of one of ours.
func decodeOpaque(token string) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < 9 || b[0] != '{' {
		return nil, errToken
	}
	return b, nil
}
