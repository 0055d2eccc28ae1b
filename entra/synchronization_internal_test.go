package entra

import (
	"testing"
	"time"
)

func TestISOInterval(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"PT40M": 40 * time.Minute, "PT1H30M": 90 * time.Minute, "P1D": 24 * time.Hour, "P1W": 7 * 24 * time.Hour, "P1DT0.5S": 24*time.Hour + 500*time.Millisecond,
		"P10675199DT2H48M5.4775807S": 0, "": 0, "40": 0, "PT": 0, "PTxM": 0, "PT-5M": 0, "PT5M3": 0, "P1Y": 0, "PTNaNS": 0, "PTInfS": 0,
	} {
		if got := isoInterval(in); got != want {
			t.Errorf("%q: got %v, want %v", in, got, want)
		}
	}
}

func TestTenantIDIn(t *testing.T) {
	const id = "11111111-aaaa-4000-8000-000000000001"
	for in, want := range map[string]string{
		id: id, "11111111-AAAA-4000-8000-000000000001": id, "11111111aaaa40008000000000000001": id, "{" + id + "}": id, " " + id: id,
		"": "", "*": "", "fabrikam.com": "", "11111111zaaa40008000000000000001": "", id + "0": "",
	} {
		if got := tenantIDIn(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
