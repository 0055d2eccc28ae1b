package entra

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// The kinds of credential.
const (
	SecretCredential           = "secret"
	CertificateCredential      = "certificate"
	ManagedIdentityCredential  = "managedIdentity"
	WorkloadIdentityCredential = "workloadIdentity"
	AzureCLICredential         = "azureCLI"
)

// Credential proves who calls. Which fields count depends on Kind. However it is
// printed, logged or encoded, it shows its kind and client id and nothing else.
type Credential struct {
	Kind            string
	ClientID        string
	Secret          string // secret
	CertificateFile string // certificate: PEM or PKCS #12 with the private key
	PasswordFile    string // certificate: file with its password, optional
	TokenFile       string // workloadIdentity: the federated token
}

// String names the credential without revealing it.
func (c Credential) String() string {
	return strings.TrimSpace(cmp.Or(c.Kind, "no credential") + " " + c.ClientID)
}

// Format prints String whatever the verb: %+v and %#v show no secret either.
func (c Credential) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// MarshalJSON encodes kind and client id only.
func (c Credential) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"kind": c.Kind, "clientId": c.ClientID})
}

// build makes the azidentity credential. It is called again when a token was
// refused, so that a renewed certificate or secret file is picked up.
func (c Credential) build(tenantID, authority string, via policy.Transporter) (azcore.TokenCredential, error) {
	options := azcore.ClientOptions{
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: authority},
		Transport: via,
		// Calls that need a token are repeated as a whole; here it is enough to
		// outlive a hiccup.
		Retry: policy.RetryOptions{MaxRetries: 2, RetryDelay: 500 * time.Millisecond},
	}
	switch c.Kind {
	case SecretCredential:
		// The authority is configured, not discovered: nothing to ask a third party.
		return azidentity.NewClientSecretCredential(tenantID, c.ClientID, c.Secret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	case CertificateCredential:
		return c.buildCertificate(tenantID, options)
	case ManagedIdentityCredential:
		// The local endpoint needs patience of its own, which azidentity knows.
		options.Retry = policy.RetryOptions{}
		o := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
		if c.ClientID != "" {
			o.ID = azidentity.ClientID(c.ClientID)
		}
		return azidentity.NewManagedIdentityCredential(o)
	case WorkloadIdentityCredential:
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: options, ClientID: c.ClientID, TenantID: tenantID, TokenFilePath: c.TokenFile,
			DisableInstanceDiscovery: true,
		})
	case AzureCLICredential:
		return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: tenantID})
	}
	return nil, fmt.Errorf("credential kind %q unknown: want secret, certificate, managedIdentity, workloadIdentity or azureCLI", c.Kind)
}

func (c Credential) buildCertificate(tenantID string, options azcore.ClientOptions) (azcore.TokenCredential, error) {
	data, err := os.ReadFile(c.CertificateFile)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	var password []byte
	if c.PasswordFile != "" {
		if password, err = os.ReadFile(c.PasswordFile); err != nil {
			return nil, fmt.Errorf("read certificate password: %w", err)
		}
		password = []byte(strings.TrimRight(string(password), "\r\n"))
	}
	certs, key, err := azidentity.ParseCertificates(data, password)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", c.CertificateFile, err)
	}
	return azidentity.NewClientCertificateCredential(tenantID, c.ClientID, certs, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
}
