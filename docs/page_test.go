package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// block is one fenced block of a page.
type block struct {
	Page string
	Line int    // of the opening fence, from 1
	Lang string // first word after the fence
	Args []string
	Text []string
}

// arg returns the value of a NAME=VALUE word after the language.
func (b *block) arg(name string) string {
	for _, a := range b.Args {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
	}
	return ""
}

// is reports whether the block's words are lang and word.
func (b *block) is(lang, word string) bool {
	return b.Lang == lang && len(b.Args) > 0 && b.Args[0] == word
}

// page is a Markdown file, named relative to the repository.
type page struct {
	Name   string
	Text   string
	Blocks []block
}

// pages reads the README, the files beside it and everything under docs.
func pages(t *testing.T) []page {
	t.Helper()
	var names []string
	for _, pattern := range []string{"../*.md", "*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	var all []page
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p := page{Name: name, Text: string(raw)}
		p.Blocks = blocks(t, name, p.Text)
		all = append(all, p)
	}
	if len(all) < 2 {
		t.Fatalf("found %d pages, want the README and docs", len(all))
	}
	return all
}

func readPage(t *testing.T, name string) page {
	t.Helper()
	for _, p := range pages(t) {
		if filepath.Base(p.Name) == name {
			return p
		}
	}
	t.Fatalf("no page %s", name)
	return page{}
}

func blocks(t *testing.T, name, text string) []block {
	t.Helper()
	var all []block
	var open *block
	for i, line := range strings.Split(text, "\n") {
		rest, fence := strings.CutPrefix(strings.TrimLeft(line, " "), "```")
		switch {
		case fence && open == nil:
			words := strings.Fields(rest)
			if len(words) == 0 {
				words = []string{""}
			}
			open = &block{Page: name, Line: i + 1, Lang: words[0], Args: words[1:]}
		case fence:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.Text = append(open.Text, line)
		}
	}
	if open != nil {
		t.Errorf("%s:%d: block is never closed", name, open.Line)
	}
	return all
}

var shown = map[string]bool{"console": true, "yaml": true, "json": true, "sh": true, "text": true, "go": true, "ini": true}

// Every block says what it is, and no command can hide from the tests in a
// block that is only shown.
func TestBlocksAreChecked(t *testing.T) {
	command := regexp.MustCompile(`^\s*(\$ )?(sudo )?(go run \./cmd/)?tenantsync\b`)
	for _, p := range pages(t) {
		for _, b := range p.Blocks {
			if !shown[b.Lang] {
				t.Errorf("%s:%d: block has language %q, want one of those doc.go lists", b.Page, b.Line, b.Lang)
			}
			if b.Lang == "yaml" && len(b.Args) == 0 {
				t.Errorf("%s:%d: yaml block is not loaded: say config, job or tenant", b.Page, b.Line)
			}
			if b.Lang != "sh" && b.Lang != "text" {
				continue
			}
			for i, line := range b.Text {
				if command.MatchString(line) {
					t.Errorf("%s:%d: %q is never run: make it a console block", b.Page, b.Line+1+i, line)
				}
			}
		}
	}
}

var (
	linkPattern    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	codePattern    = regexp.MustCompile("(?s)```.*?```")
	notInAnchor    = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns the fragment of each heading, as code hosts derive them.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, m := range headingPattern.FindAllStringSubmatch(codePattern.ReplaceAllString(text, ""), -1) {
		name := notInAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		all[strings.ReplaceAll(name, " ", "-")] = true
	}
	return all
}

func TestLinksLeadSomewhere(t *testing.T) {
	for _, p := range pages(t) {
		for _, m := range linkPattern.FindAllStringSubmatch(codePattern.ReplaceAllString(p.Text, ""), -1) {
			target := m[1]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			text := p.Text
			if file != "" {
				raw, err := os.ReadFile(filepath.Join(filepath.Dir(p.Name), file))
				if err != nil {
					if _, err := os.Stat(filepath.Join(filepath.Dir(p.Name), file)); err != nil {
						t.Errorf("%s: link to %s: %v", p.Name, target, err)
					}
					continue
				}
				text = string(raw)
			}
			if anchor != "" && !anchors(text)[anchor] {
				t.Errorf("%s: link to %s: no such heading", p.Name, target)
			}
		}
	}
}

// What is not there yet is not advertised, and figures are measured ones.
func TestNothingIsLeftOpen(t *testing.T) {
	open := regexp.MustCompile(`\b(TODO|TBD|FIXME|XXX)\b|(?i)coming soon|lorem ipsum|not yet measured`)
	for _, p := range pages(t) {
		for i, line := range strings.Split(p.Text, "\n") {
			if m := open.FindString(line); m != "" {
				t.Errorf("%s:%d: %q", p.Name, i+1, m)
			}
		}
	}
}

// firstColumn returns the `code` words that begin a table row of the page.
func firstColumn(text string) []string {
	var words []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(text, -1) {
		words = append(words, m[1])
	}
	return words
}
