package entra_test

import (
	"path/filepath"
	"testing"
	"time"

	"tenantsync/entra"
)

func TestCertificateTellsWhenItExpires(t *testing.T) {
	c := entra.Credential{Kind: entra.CertificateCredential, ClientID: clientID, CertificateFile: writeCertificate(t)}
	at, known := c.NotAfter()
	if left := time.Until(at); !known || left < 50*time.Minute || left > time.Hour {
		t.Errorf("certificate of an hour: got %v, %v, want it within the hour", at, known)
	}
	c.CertificateFile = filepath.Join(t.TempDir(), "missing.pem")
	if at, known := c.NotAfter(); known {
		t.Errorf("missing file: got %v, want nothing known", at)
	}
	if at, known := (entra.Credential{Kind: entra.SecretCredential, Secret: "s"}).NotAfter(); known {
		t.Errorf("secret: got %v, want nothing known", at)
	}
}
