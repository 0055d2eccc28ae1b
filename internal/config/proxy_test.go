package config_test

import (
	"errors"
	"strings"
	"testing"

	"tenantsync/internal/config"
)

// A proxy is an address and nothing else; what would be shown with it has no place there.
func TestProxyAddress(t *testing.T) {
	for address, ok := range map[string]bool{
		"http://proxy.contoso.com:3128": true, "https://proxy.contoso.com": true, `"${HTTPS_PROXY}"`: true,
		"proxy.contoso.com:3128": false, "socks5://proxy:1080": false, "http://": false, "http://proxy/path": false,
		"http://proxy:3128?x=1": false, "http://user:hunter2@proxy:3128": false, `""`: false,
	} {
		text := strings.Replace(minimal, "credential", "endpoints: {proxy: "+address+"}\n    credential", 1)
		_, err := parse(t, text, nil, map[string]string{"HTTPS_PROXY": "http://proxy.contoso.com:3128"})
		if (err == nil) != ok {
			t.Errorf("%s: got %v, want it accepted: %v", address, err, ok)
		}
		var invalid *config.Invalid
		if errors.As(err, &invalid) && strings.Contains(invalid.Error()+invalid.Problems[0].Excerpt(), "hunter2") {
			t.Errorf("%s: the password is told: %v\n%s", address, err, invalid.Problems[0].Excerpt())
		}
	}
}
