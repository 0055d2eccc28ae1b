package bolt

import "testing"

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
