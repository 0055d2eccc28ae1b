package bolt

import "testing"

func TestLossyFastCommit(t *testing.T) {
	for release, want := range map[string]bool{
		"5.4.0-42-generic": false, "5.10.93": true, "5.10.94-1": false, "5.11.0": true, "5.14.21-rt": true, "5.15.26": true,
		"5.15.27": false, "5.16.0": true, "5.17.1": false, "6.1.0": false, "4.19.0": false, "": false, "strange": false,
	} {
		if got := lossyFastCommit(release); got != want {
			t.Errorf("%q: got %v, want %v", release, got, want)
		}
	}
}
