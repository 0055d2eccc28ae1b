package bolt

import (
	"os"
	"path/filepath"
	"testing"
)

// Numbers of devices as stat gives them and as the list of locks writes them.
func TestDevice(t *testing.T) {
	for number, want := range map[uint64]string{
		0xfe00:           "fe:00",
		0x1a:             "00:1a",
		0x10302:          "103:02",
		0x1000fd10:       "fd:10010",
		0x1000_0000_0000: "1000:00",
	} {
		if got := device(number); got != want {
			t.Errorf("device %#x: got %s, want %s", number, got, want)
		}
	}
}

// Where the list of locks has another number for the device, the process is the
// holder if it has this very file open: not one that has only had it, nor another file.
func TestHolderHasTheFileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if !hasOpen(os.Getpid(), info) {
		t.Error("this process has the file open and is not said to")
	}
	if other, err := os.Stat(filepath.Dir(path)); err != nil || hasOpen(os.Getpid(), other) {
		t.Errorf("this process is said to have open what it has not (error %v)", err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if hasOpen(os.Getpid(), info) {
		t.Error("this process is said to have a file open that it has closed")
	}
	if hasOpen(1<<30, info) {
		t.Error("a process that is not there is said to have the file open")
	}
}
