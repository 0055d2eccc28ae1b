package entra

import (
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// NotAfter returns when the credential's certificate expires; known is false for
// other kinds, and for a file that cannot be read. When a secret expires stands in
// the app's registration, which takes a permission to read that no job needs.
func (c Credential) NotAfter() (at time.Time, known bool) {
	if c.Kind != CertificateCredential {
		return at, false
	}
	data, err := os.ReadFile(c.CertificateFile)
	if err != nil {
		return at, false
	}
	var password []byte
	if c.PasswordFile != "" {
		if password, err = os.ReadFile(c.PasswordFile); err != nil {
			return at, false
		}
		password = []byte(strings.TrimRight(string(password), "\r\n"))
	}
	certs, _, err := azidentity.ParseCertificates(data, password)
	if err != nil || len(certs) == 0 {
		return at, false
	}
	return certs[0].NotAfter.UTC(), true
}
