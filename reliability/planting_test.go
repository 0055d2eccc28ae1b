package reliability_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	plant       = flag.Bool("defects", false, "TestPlantedDefects builds the program with each planted defect and runs the seed that catches it")
	searchFor   = flag.String("search", "", "TestSearchDefects looks for a seed that catches each planted defect whose name matches this expression")
	searchSeeds = flag.Int("upto", 1000, "the last seed that TestSearchDefects tries")
	update      = flag.Bool("update", false, "TestPlantedDefectsPage rewrites its table in docs/reliability.md")
)

// caught is the seed that catches a defect, and the invariant that it breaks.
type caught struct {
	Seed      uint64 `json:"seed"`
	Invariant string `json:"invariant"`
}

// caughtFile holds what TestSearchDefects has found, by the name of the defect.
const caughtFile = "testdata/defects.json"

func readCaught(t *testing.T) map[string]caught {
	t.Helper()
	list := map[string]caught{}
	raw, err := os.ReadFile(caughtFile)
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// planted returns the content of each file that a defect changes.
func (d *defect) planted() (map[string]string, error) {
	files := map[string]string{}
	for _, e := range d.edits {
		text, changed := files[e.file]
		if !changed {
			raw, err := os.ReadFile(filepath.Join("..", e.file))
			if err != nil {
				return nil, err
			}
			text = string(raw)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("%s: the place of the defect %s is there %d times, want once:\n%s", e.file, d.name, n, e.old)
		}
		files[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return files, nil
}

// build builds the simulation over the program with a defect, or without one.
func build(t *testing.T, d *defect) string {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "simulation")
	args := []string{"test", "-c", "-o", binary}
	if d != nil {
		files, err := d.planted()
		if err != nil {
			t.Fatal(err)
		}
		replace := map[string]string{}
		for n, name := range slices.Sorted(maps.Keys(files)) {
			whole, err := filepath.Abs(filepath.Join("..", name))
			if err != nil {
				t.Fatal(err)
			}
			replace[whole] = filepath.Join(dir, fmt.Sprint(n, ".go"))
			if err := os.WriteFile(replace[whole], []byte(files[name]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		overlay, err := json.Marshal(map[string]any{"Replace": replace})
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "-overlay", filepath.Join(dir, "overlay.json"))
	}
	if out, err := exec.CommandContext(t.Context(), "go", append(args, ".")...).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

var failedSeed = regexp.MustCompile(`seed (\d+): ([^:\n]+):`)

// firstFailing runs seeds of a built simulation and returns the first that fails,
// nil when none does.
func firstFailing(t *testing.T, binary string, first uint64, count int) *caught {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, "-test.run=^TestSeeds$", "-first", fmt.Sprint(first), "-seeds", strconv.Itoa(count), "-failing", "1", "-shrink", "0")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	var found *caught
	for _, m := range failedSeed.FindAllStringSubmatch(string(out), -1) {
		seed, _ := strconv.ParseUint(m[1], 10, 64) // digits only
		if found == nil || seed < found.Seed {
			found = &caught{seed, m[2]}
		}
	}
	if found == nil {
		t.Fatalf("seeds from %d on: %v\n%s", first, err, out)
	}
	return found
}

// Every defect can be planted: its places are there, once.
func TestPlantedDefectsApply(t *testing.T) {
	list := readCaught(t)
	for i := range defects {
		d := &defects[i]
		if _, err := d.planted(); err != nil {
			t.Error(err)
		}
		if c, ok := list[d.name]; !ok || c.Seed == 0 || c.Seed > 1000 {
			t.Errorf("%s: got %+v, want a seed up to 1000 that catches it", d.name, c)
		}
		delete(list, d.name)
	}
	for name := range list {
		t.Errorf("%s is recorded in %s and is no defect", name, caughtFile)
	}
}

// Each defect is caught by its recorded seed, and the program without it passes
// all of these seeds.
func TestPlantedDefects(t *testing.T) {
	if !*plant {
		t.Skip("builds the program once for each defect: run it with -defects")
	}
	list := readCaught(t)
	sound := build(t, nil)
	for i := range defects {
		d := &defects[i]
		t.Run(d.name, func(t *testing.T) {
			want := list[d.name]
			if got := firstFailing(t, sound, want.Seed, 1); got != nil {
				t.Errorf("seed %d without the defect: broke %q", want.Seed, got.Invariant)
			}
			if got := firstFailing(t, build(t, d), want.Seed, 1); got == nil || *got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// TestSearchDefects finds the first seed that catches each defect and that the
// program without it passes, and records it.
func TestSearchDefects(t *testing.T) {
	if *searchFor == "" {
		t.Skip("a tool: run it with -search .")
	}
	wanted := regexp.MustCompile(*searchFor)
	list := map[string]caught{}
	if _, err := os.Stat(caughtFile); err == nil {
		list = readCaught(t)
	}
	sound := build(t, nil)
	for i := range defects {
		d := &defects[i]
		if !wanted.MatchString(d.name) {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			binary, less := build(t, d), ""
			if len(d.edits) > 1 && d.but != 0 {
				less = build(t, &defect{name: d.name, edits: d.edits[d.but:]})
			}
			for first := uint64(1); first <= uint64(*searchSeeds); {
				got := firstFailing(t, binary, first, *searchSeeds-int(first)+1)
				if got == nil {
					break
				}
				if firstFailing(t, sound, got.Seed, 1) == nil && (less == "" || firstFailing(t, less, got.Seed, 1) == nil) {
					t.Logf("seed %d: %s", got.Seed, got.Invariant)
					list[d.name] = *got
					return
				}
				first = got.Seed + 1
			}
			delete(list, d.name)
			t.Errorf("%d seeds do not catch it", *searchSeeds)
		})
		raw, err := json.MarshalIndent(list, "", "\t")
		if err == nil {
			err = os.WriteFile(caughtFile, append(raw, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The page tells every defect with the seed that catches it.
func TestPlantedDefectsPage(t *testing.T) {
	const page, heading = "../docs/reliability.md", "\n| Defect | What the program does then | Planted in | Caught by seed | Broken |\n"
	list := readCaught(t)
	var b strings.Builder
	b.WriteString(heading + "|---|---|---|---|---|\n")
	for _, d := range defects {
		var files []string
		for _, e := range d.edits {
			if !slices.Contains(files, "`"+e.file+"`") {
				files = append(files, "`"+e.file+"`")
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %s |\n", d.name, d.sentence, strings.Join(files, ", "), list[d.name].Seed, list[d.name].Invariant)
	}
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(raw), heading)
	if !found {
		t.Fatalf("%s has no table of planted defects", page)
	}
	rows := 0
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		rows += len(line)
	}
	want := before + b.String() + rest[rows:]
	switch {
	case want == string(raw):
	case *update:
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s: its table of planted defects is not that of the program; go test ./reliability -run TestPlantedDefectsPage -update rewrites it", page)
	}
}
