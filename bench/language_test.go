package bench_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/entra"
	"tenantsync/mapping"
	"tenantsync/mapping/expr"
	"tenantsync/scope"
)

// BenchmarkLanguage compares what is interpreted with what one would write by
// hand: an expression, a filter, and all default mappings of a user with decoding
// that user. Both sides take turns in one run and the best turn of each counts, so
// that a busy machine spoils neither. It fails above the limits, which are ratios
// and allocations, never durations.
//
//	go test ./bench -run '^$' -bench Language -benchtime 1x
func BenchmarkLanguage(b *testing.B) {
	user := onePage(b, 1)[0].Attributes
	b.Run("Join", func(b *testing.B) {
		program, err := expr.Compile(`Join(" ", [givenName], [surname])`, nil)
		if err != nil {
			b.Fatal(err)
		}
		env := expr.Env{Attributes: user}
		compare(b, 4, 3, func() bool {
			v, err := program.Evaluate(env)
			return err == nil && v.Text() == "Person Number 0"
		}, func() bool { return joined(user).Text() == "Person Number 0" })
	})
	b.Run("ThreeClauses", func(b *testing.B) {
		filter, problems := scope.Compile([]scope.Group{{Title: "Staff", Clauses: []scope.Clause{
			{Attribute: "department", Operator: scope.Equals, Values: []string{"Research and Development"}},
			{Attribute: "accountEnabled", Operator: scope.IsTrue},
			{Attribute: "userPrincipalName", Operator: scope.NotRegexMatch, Values: []string{"^svc-"}},
		}}})
		if problems != nil {
			b.Fatal(problems)
		}
		now := time.Now()
		compare(b, 3, 0, func() bool { return filter.Evaluate(user, now).InScope }, func() bool { return wanted(user) })
	})
	b.Run("DefaultMappings", func(b *testing.B) {
		const users = 100
		page, objects := pageText(users), onePage(b, users)
		schema, problems := mapping.Compile(mapping.Default())
		if schema == nil {
			b.Fatal(problems)
		}
		compare(b, 1, -1, func() bool {
			for i := range objects {
				r, err := schema.Apply(mapping.Input{Source: objects[i].Attributes, Flow: mapping.Update})
				if err != nil || len(r.Desired) < 10 {
					return false
				}
			}
			return true
		}, func() bool {
			p, err := entra.DecodePage(page)
			return err == nil && len(p.Objects) == users
		})
	})
}

// compare reports how many times as long f takes as g, and what f allocates; it
// fails above the limits. A negative limit on allocations is none.
func compare(b *testing.B, limit float64, allocations int, f, g func() bool) {
	b.Helper()
	perCall := testing.AllocsPerRun(100, func() { f() })
	var fBest, gBest time.Duration
	n := 1
	for turn(b, n, g) < 2*time.Millisecond {
		n *= 2
	}
	b.ResetTimer()
	for range b.N {
		for range 60 {
			fBest, gBest = best(fBest, turn(b, n, f)), best(gBest, turn(b, n, g))
		}
	}
	ratio := float64(fBest) / float64(gBest)
	b.ReportMetric(ratio, "ratio")
	b.ReportMetric(perCall, "allocs/call")
	b.ReportMetric(0, "ns/op")
	if ratio > limit {
		b.Errorf("%.2f times as long, the limit is %.0f", ratio, limit)
	}
	if allocations >= 0 && perCall > float64(allocations) {
		b.Errorf("%.0f allocations, the limit is %d", perCall, allocations)
	}
}

func best(a, b time.Duration) time.Duration {
	if a == 0 || b < a {
		return b
	}
	return a
}

// turn runs f n times and returns how long that took.
func turn(b *testing.B, n int, f func() bool) time.Duration {
	start := time.Now()
	for range n {
		if !f() {
			b.Fatal("not the outcome that is measured")
		}
	}
	return time.Since(start)
}

//go:noinline
func joined(a directory.Attributes) directory.Value {
	given, surname := a.Get("givenName").Text(), a.Get("surname").Text()
	if given == "" || surname == "" {
		return directory.TextOf(given + surname)
	}
	return directory.TextOf(given + " " + surname)
}

//go:noinline
func wanted(a directory.Attributes) bool {
	if a.Get("department").Text() != "Research and Development" {
		return false
	}
	if enabled, ok := a.Get("accountEnabled").Bool(); !ok || !enabled {
		return false
	}
	upn := a.Get("userPrincipalName").Text()
	return upn != "" && !strings.HasPrefix(upn, "svc-")
}

// onePage decodes a page of users.
func onePage(b *testing.B, n int) []directory.Object {
	b.Helper()
	page, err := entra.DecodePage(pageText(n))
	if err != nil || len(page.Objects) != n {
		b.Fatal(len(page.Objects), err)
	}
	return page.Objects
}

// pageText is a page of users with the attributes that the default mappings read,
// and a little more, as Graph writes it.
func pageText(n int) []byte {
	var s strings.Builder
	s.WriteString(`{"value":[`)
	for i := range n {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, `{"id":"%08x-1111-4222-8333-444444444444","accountEnabled":true,"displayName":"Person Number %[1]d","givenName":"Person","surname":"Number %[1]d",`+
			`"jobTitle":"Engineer","department":"Research and Development","city":"Stuttgart","state":null,"country":"Germany","postalCode":"70173",`+
			`"streetAddress":"Main Street %[1]d","officeLocation":"B%[1]d","preferredLanguage":"de-DE","employeeId":"E%[1]d","mail":"person.%[1]d@contoso.com",`+
			`"userPrincipalName":"person.%[1]d@contoso.com","userType":"Member","businessPhones":["+49 711 %[1]d"],"proxyAddresses":["SMTP:person.%[1]d@contoso.com"]}`, i)
	}
	s.WriteString("]}")
	return []byte(s.String())
}
