package control

import "testing"

// A route that nobody listed is closed to all but approvers.
func TestUnlistedRoutesNeedAnApprover(t *testing.T) {
	for _, c := range [][2]string{{"nothing", ""}, {"status", "accept"}, {"", ""}} {
		if got := needs(c[0], c[1]); got != Approver {
			t.Errorf("%q with %q: got %s, want %s", c[0], c[1], got, Approver)
		}
	}
}
