package bolt_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"tenantsync/directory"
	"tenantsync/store"
	"tenantsync/store/bolt"
)

// guids gives random ids, the same ones for the same seed.
func guids(seed uint64) func() string {
	r := rand.New(rand.NewPCG(seed, 1))
	return func() string {
		var g directory.GUID
		for i := range g {
			g[i] = byte(r.Uint32())
		}
		return g.String()
	}
}

// user is an object with 20 attributes, as the default mappings read them.
func user(id string) directory.Object {
	name := id[:8]
	return directory.Object{ID: id, Attributes: directory.AttributesOf(map[string]directory.Value{
		"accountEnabled": directory.BoolOf(true), "businessPhones": directory.ListOf("+41 31 555 01 00"),
		"city": directory.TextOf("Bern"), "companyName": directory.NullValue(), "country": directory.TextOf("CH"),
		"department": directory.TextOf("Research and Development"), "displayName": directory.TextOf("User " + name),
		"employeeId": directory.TextOf(name), "givenName": directory.TextOf("User"), "jobTitle": directory.TextOf("Engineer"),
		"mail":           directory.TextOf(name + "@contoso.example"),
		"officeLocation": directory.TextOf("18/2111"), "postalCode": directory.TextOf("3000"),
		"preferredLanguage": directory.TextOf("de-CH"), "proxyAddresses": directory.ListOf("SMTP:" + name + "@contoso.example"),
		"state": directory.TextOf("BE"), "streetAddress": directory.TextOf("Bundesplatz 3"), "surname": directory.TextOf(name),
		"userPrincipalName": directory.TextOf(name + "@contoso.example"), "userType": directory.TextOf("Member"),
	})}
}

func userLink(next func() string) store.Link {
	o := user(next())
	return store.Link{Pair: pair, SourceID: o.ID, TargetID: next(), Job: "contoso-to-fabrikam", Exported: o.Attributes,
		ManagerSource: o.ID, UPN: o.UPN(), DisplayName: o.DisplayName(), Addresses: o.Addresses(), InScope: true}
}

func fileSize(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestALinkTakesFewBytes(t *testing.T) {
	const links = 10_000
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, quick)
	next := guids(1)
	for range links / 500 {
		var b store.Batch
		for range 500 {
			b.PutLinks = append(b.PutLinks, userLink(next))
		}
		apply(t, s, b)
	}
	size, err := s.Size()
	if err != nil {
		t.Fatal(err)
	}
	// A record of 430 bytes, three index entries of 50, the room that pages leave when
	// ids arrive in any order, and the pages free after the last commit.
	if each := size / links; each > 1400 {
		t.Errorf("a link takes %d bytes of the file, want at most 1400", each)
	}
}

func TestTheFileDoesNotGrowWithEveryRound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, quick)
	next := guids(2)
	page := store.StagePage{Job: "job"}
	for range 1000 {
		page.Objects = append(page.Objects, user(next()))
	}
	var sizes []int64
	for range 12 {
		for seq := range 10 {
			page.Seq = seq + 1
			apply(t, s, store.Batch{Stage: []store.StagePage{page}, PutLinks: []store.Link{userLink(next)}})
		}
		apply(t, s, store.Batch{DropStage: "job"})
		sizes = append(sizes, fileSize(t, path))
	}
	if last := sizes[len(sizes)-1]; last > sizes[1] {
		t.Errorf("sizes after each round: %d, want no growth after the second", sizes)
	}
}

func TestAnUnchangedLinkIsNotWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, quick)
	next := guids(3)
	var b store.Batch
	for range 1000 {
		b.PutLinks = append(b.PutLinks, userLink(next))
	}
	apply(t, s, b)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, s, b)
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	changed := 0
	for at := 0; at < min(len(before), len(after)); at += page {
		if string(before[at:at+page]) != string(after[at:at+page]) {
			changed++
		}
	}
	// A commit writes the list of free pages, the root bucket and one of the two heads.
	if changed > 4 || len(before) != len(after) {
		t.Errorf("%d pages of %d changed, want at most 4", changed, len(after)/page)
	}
}

func BenchmarkApply(b *testing.B) {
	for _, sync := range []bool{true, false} {
		b.Run(fmt.Sprintf("links=20/sync=%t", sync), func(b *testing.B) {
			s := filledStore(b, 20_000, bolt.Options{NoSync: !sync})
			next := guids(5)
			b.ReportAllocs()
			for b.Loop() {
				var batch store.Batch
				for range 20 {
					batch.PutLinks = append(batch.PutLinks, userLink(next))
				}
				apply(b, s, batch)
			}
		})
	}
}

func BenchmarkStagePage(b *testing.B) {
	next := guids(6)
	page := store.StagePage{Job: "job"}
	for range 1000 {
		page.Objects = append(page.Objects, user(next()))
	}
	b.Run("put", func(b *testing.B) {
		s := open(b, filepath.Join(b.TempDir(), "state.db"), quick)
		b.ReportAllocs()
		for b.Loop() {
			if page.Seq++; page.Seq > 100 {
				apply(b, s, store.Batch{DropStage: "job"})
				page.Seq = 1
			}
			apply(b, s, store.Batch{Stage: []store.StagePage{page}})
		}
	})
	b.Run("read", func(b *testing.B) {
		s := open(b, filepath.Join(b.TempDir(), "state.db"), quick)
		page.Seq = 1
		apply(b, s, store.Batch{Stage: []store.StagePage{page}})
		b.ReportAllocs()
		for b.Loop() {
			if pages, err := s.StagePages(b.Context(), "job", 0, 1); err != nil || len(pages) != 1 {
				b.Fatal(len(pages), err)
			}
		}
	})
}

// filledStore returns a store with so many links, put in the order of their ids.
func filledStore(b *testing.B, links int, opts bolt.Options) *bolt.Store {
	b.Helper()
	path := filepath.Join(b.TempDir(), "state.db")
	s := open(b, path, quick)
	next := guids(4)
	for n := 0; n < links; n += 1000 {
		var batch store.Batch
		for range 1000 {
			batch.PutLinks = append(batch.PutLinks, userLink(next))
		}
		apply(b, s, batch)
	}
	closeStore(b, s)
	return open(b, path, opts)
}

func BenchmarkWalk(b *testing.B) {
	const links = 100_000
	s := filledStore(b, links, quick)
	b.ReportAllocs()
	for b.Loop() {
		n, after := 0, ""
		for {
			page, err := s.Links(b.Context(), store.LinkQuery{Pair: pair, After: after, Limit: 1000})
			if err != nil {
				b.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			n, after = n+len(page), page[len(page)-1].SourceID
		}
		if n != links {
			b.Fatalf("walked %d links, want %d", n, links)
		}
	}
	size, err := s.Size()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(size)/links, "file-B/link")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/links, "ns/link")
}

// The ratio between ids in order and in no order, within one batch: the store
// sorts them, so there should be little.
func BenchmarkOrder(b *testing.B) {
	const links = 10_000
	for _, order := range []string{"ascending", "random"} {
		b.Run(order, func(b *testing.B) {
			next := guids(7)
			var batch store.Batch
			for range links {
				batch.PutLinks = append(batch.PutLinks, userLink(next))
			}
			if order == "ascending" {
				for i := range batch.PutLinks {
					l := &batch.PutLinks[i]
					l.SourceID = fmt.Sprintf("%08x-0000-4000-8000-000000000000", i)
					l.TargetID, l.ManagerSource = l.SourceID, l.SourceID
				}
			}
			for b.Loop() {
				s, err := bolt.Scratch(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				apply(b, s, batch)
				closeStore(b, s)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/links, "ns/link")
		})
	}
}
