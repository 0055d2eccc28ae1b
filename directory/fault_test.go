package directory_test

import (
	"errors"
	"strings"
	"testing"

	"tenantsync/directory"
)

func TestContain(t *testing.T) {
	var none []int
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"nothing":           {func() error { return nil }, ""},
		"an error":          {func() error { return errors.New("no value") }, "no value"},
		"of the runtime":    {func() error { return errors.New(string(rune(none[3]))) }, "internal fault of the program: runtime error: index out of range [3] with length 0"},
		"with its own text": {func() error { panic("bad value: hunter2") }, "internal fault of the program"},
	} {
		err := contained(c.do)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		var f *directory.Fault
		if errors.As(err, &f) && !strings.Contains(string(f.Stack), "TestContain") {
			t.Errorf("%s: the stack does not say where:\n%s", name, f.Stack)
		}
	}
}

func contained(do func() error) (err error) {
	defer directory.Contain(&err)
	return do()
}
