package directory_test

import (
	"testing"

	"tenantsync/directory"
)

func TestSynchronizationJobRuns(t *testing.T) {
	for _, tt := range []struct {
		state, schedule string
		want            bool
	}{
		{"Active", "Active", true}, {"Quarantine", "Active", true}, {"NotRun", "Active", true}, {"Active", "", true}, {"", "", true},
		{"Paused", "Active", false}, {"Active", "Disabled", false}, {"Active", "Paused", false}, {"NotConfigured", "Active", false},
	} {
		j := directory.SynchronizationJob{State: tt.state, Schedule: tt.schedule}
		if got := j.Runs(); got != tt.want {
			t.Errorf("state %q, schedule %q: got %v, want %v", tt.state, tt.schedule, got, tt.want)
		}
	}
}
