package config

import (
	"time"

	"tenantsync/directory"
	"tenantsync/internal/token"
	"tenantsync/mapping"
	"tenantsync/scope"
)

// Config is a configuration, complete with its defaults, judged and compiled.
// It is not changed after Load and may be shared.
//
// A field's key in the file stands in its yaml tag; the key's description is
// shown by editors (see Schema). Fields tagged "-" are computed.
type Config struct {
	Version          int                `yaml:"version" jsonschema:"required,enum=1" jsonschema_description:"The version of this file's format; always 1."`
	Tenants          map[string]*Tenant `yaml:"tenants" jsonschema:"required" jsonschema_description:"The tenants that jobs read from and write to, each under a name of your choice."`
	Jobs             []*Job             `yaml:"jobs" jsonschema_description:"The synchronization jobs, each from one source tenant to one target tenant."`
	Store            Store              `yaml:"store" jsonschema_description:"Where links, watermarks and the provisioning log are kept."`
	Control          Control            `yaml:"control" jsonschema_description:"Where the daemon answers the commands."`
	Logs             Logs               `yaml:"logs" jsonschema_description:"The provisioning log and the program's own log."`
	AllowInteractive bool               `yaml:"allowInteractive" jsonschema:"default=false" jsonschema_description:"Lets the daemon run with credentials of kind azureCLI, which belong to a person."`

	// File is the path the configuration was read from, as the caller gave it.
	File string `yaml:"-"`
	// Dir is the absolute path of the file's folder; relative paths of the file
	// have been joined to it.
	Dir string `yaml:"-"`
	// Hash is the SHA-256 of the file's text, in hexadecimal digits.
	Hash string `yaml:"-"`
	// Warnings are problems that do not keep the configuration from being used,
	// sorted by position.
	Warnings []Problem `yaml:"-"`

	tenantNames []string
}

// TenantNames returns the names of the tenants in the order of the file. The
// caller may keep and change the slice.
func (c *Config) TenantNames() []string { return append([]string(nil), c.tenantNames...) }

// Job returns the job of that name, nil when there is none.
func (c *Config) Job(name string) *Job {
	for _, j := range c.Jobs {
		if j.Name == name {
			return j
		}
	}
	return nil
}

// JobNames returns the names of the jobs in the order of the file.
func (c *Config) JobNames() []string {
	names := make([]string, len(c.Jobs))
	for i, j := range c.Jobs {
		names[i] = j.Name
	}
	return names
}

// Cloud is a national cloud of Microsoft Entra.
// https://learn.microsoft.com/graph/deployments
type Cloud string

// The clouds.
const (
	Global   Cloud = "global"
	USGov    Cloud = "usGov"
	USGovDoD Cloud = "usGovDoD"
	China    Cloud = "china"
)

// Tenant is one tenant and how to sign in to it.
type Tenant struct {
	TenantID        string      `yaml:"tenantId" jsonschema:"required" jsonschema_description:"The tenant's id, a GUID."`
	Cloud           Cloud       `yaml:"cloud" jsonschema:"default=global" jsonschema_description:"The national cloud the tenant lives in."`
	Endpoints       Endpoints   `yaml:"endpoints" jsonschema_description:"Instead of the cloud's own endpoints, for simulated tenants and private test hosts."`
	Credential      *Credential `yaml:"credential" jsonschema:"required" jsonschema_description:"How to sign in to the tenant."`
	WriteCredential *Credential `yaml:"writeCredential" jsonschema_description:"Used instead where this tenant is a target, so that the rights to read and to write stay apart."`

	Name string `yaml:"-"` // the tenant's key in the file
}

// ForWriting returns the credential to use where the tenant is a target.
func (t *Tenant) ForWriting() *Credential {
	if t.WriteCredential != nil {
		return t.WriteCredential
	}
	return t.Credential
}

// Endpoints are the addresses of a tenant's services. After Load, Authority and
// Graph are always set and carry no final slash; CAFile is an absolute path, ""
// for the system's roots alone.
type Endpoints struct {
	Authority string `yaml:"authority" jsonschema_description:"The token service, without the tenant's id, e.g. https://127.0.0.1:9443."`
	Graph     string `yaml:"graph" jsonschema_description:"The root of Microsoft Graph with its version, e.g. https://127.0.0.1:9443/v1.0."`
	CAFile    string `yaml:"caFile" jsonschema_description:"Certificates in PEM, added to the system's roots for this tenant only."`
	Proxy     string `yaml:"proxy" jsonschema_description:"An HTTP proxy that tunnels to both, e.g. http://proxy.contoso.com:3128. Default: none, whatever HTTPS_PROXY says."`
}

// CredentialKind is a way to sign in.
type CredentialKind string

// The kinds of credential.
const (
	ClientSecret      CredentialKind = "secret"
	ClientCertificate CredentialKind = "certificate"
	ManagedIdentity   CredentialKind = "managedIdentity"
	WorkloadIdentity  CredentialKind = "workloadIdentity"
	AzureCLI          CredentialKind = "azureCLI"
)

// Credential is how to sign in to a tenant. Which fields are set depends on
// Kind; file names are absolute after Load. Formatting it with fmt never shows
// the secret.
type Credential struct {
	Kind            CredentialKind `yaml:"kind" jsonschema:"required" jsonschema_description:"The way to sign in: a client secret, a certificate, a managed identity, a federated workload identity, or the Azure CLI's user (for trying out)."`
	ClientID        string         `yaml:"clientId" jsonschema_description:"The application's (client) id, a GUID. For managedIdentity only with a user-assigned identity."`
	Secret          Secret         `yaml:"secret" jsonschema_description:"kind secret: the client secret, as ${VAR} or ${file:PATH}, never in clear text."`
	Expires         Moment         `yaml:"expires" jsonschema_description:"kind secret: when the secret expires, as the app registration shows it: a day or a time of RFC 3339. Nobody else can know; check, status and the log warn ahead of it."`
	CertificateFile string         `yaml:"certificateFile" jsonschema_description:"kind certificate: the certificate with its private key, PEM or PFX."`
	PasswordFile    string         `yaml:"passwordFile" jsonschema_description:"kind certificate: a file with the password of the certificate file."`
	TokenFile       string         `yaml:"tokenFile" jsonschema_description:"kind workloadIdentity: the file with the federated token; else AZURE_FEDERATED_TOKEN_FILE says where."`

	// Err says why the credential cannot be used although the configuration is
	// valid: it belongs to no enabled job, and a variable or file it refers to
	// is missing. Whoever is about to sign in with it returns Err instead.
	Err error `yaml:"-"`
}

// ScopeMode says who is considered before the filters.
type ScopeMode string

// The scope modes, "Sync only assigned users and groups" and "Sync all users"
// in the admin centre.
const (
	Assigned ScopeMode = "assigned"
	All      ScopeMode = "all"
)

// Scope says which users of the source a job synchronizes.
type Scope struct {
	Mode               ScopeMode     `yaml:"mode" jsonschema:"default=assigned" jsonschema_description:"assigned: users assigned through groups, users or servicePrincipalId; all: every user. Filters narrow both."`
	Groups             []string      `yaml:"groups" jsonschema_description:"Object ids of groups of the source tenant whose members are assigned."`
	Users              []string      `yaml:"users" jsonschema_description:"Object ids or user principal names of single users who are assigned."`
	ServicePrincipalID string        `yaml:"servicePrincipalId" jsonschema_description:"Object id of a service principal of the source tenant; its app-role assignments are the assignment."`
	NestedGroups       bool          `yaml:"nestedGroups" jsonschema:"default=false" jsonschema_description:"Members of groups inside the groups count as well."`
	Filters            []FilterGroup `yaml:"filters" jsonschema_description:"Scoping filters: any filter must be true; inside a filter every clause."`
}

// FilterGroup is one scoping filter: all of its clauses must hold.
type FilterGroup struct {
	Title   string   `yaml:"title" jsonschema_description:"The filter's name in reasons and logs."`
	Clauses []Clause `yaml:"clauses" jsonschema:"required,minItems=1" jsonschema_description:"The conditions, all of which must be true."`
}

// Clause is one condition of a scoping filter, as written.
type Clause struct {
	Attribute string `yaml:"attribute" jsonschema:"required" jsonschema_description:"A user attribute by its Graph name, or memberOf."`
	Operator  string `yaml:"operator" jsonschema:"required" jsonschema_description:"The comparison."`
	Value     *Word  `yaml:"value" jsonschema_description:"What to compare with."`
	Values    []Word `yaml:"values" jsonschema_description:"Several values to compare with."`

	// Both are left out of the text that tells whether scope has changed when they
	// are not used, so that a filter without them stays the same filter.
	IgnoreCase bool    `yaml:"ignoreCase" json:",omitempty" jsonschema:"default=false" jsonschema_description:"Upper and lower case do not count. Beyond Entra."`
	Members    Members `yaml:"members" json:",omitempty" jsonschema_description:"For attributes with several values: any of them must satisfy the clause, or all. Beyond Entra."`
}

// Members says which values of an attribute with several must satisfy a clause:
// any or all; "" where the attribute has one.
type Members string

// Word is text that the file may write as a number or as true and false.
type Word string

// Mapping is one attribute mapping, as written. Job.Schema is its compiled form.
type Mapping struct {
	Target           string     `yaml:"target" jsonschema:"required" jsonschema_description:"The attribute of the target user, by its Graph name."`
	Source           string     `yaml:"source" jsonschema_description:"Direct: the attribute of the source user to copy."`
	Constant         Literal    `yaml:"constant" jsonschema_description:"Constant: the same value for everybody; null clears."`
	Expression       Expression `yaml:"expression" jsonschema_description:"Expression: e.g. Join(\", \", [surname], [givenName]). References like ${VAR} are not replaced here."`
	DefaultValue     Literal    `yaml:"defaultValue" jsonschema_description:"Written when the source gives no value while the user is created."`
	FlowType         FlowType   `yaml:"flowType" jsonschema:"default=Always" jsonschema_description:"When the value flows: always, only on create, or only adding."`
	Drift            Drift      `yaml:"drift" jsonschema:"default=overwrite" jsonschema_description:"A value that somebody else changed in the target: overwrite it, keep it until the mapping gives another one, or keep it and warn. Beyond Entra."`
	FlowNull         *bool      `yaml:"flowNull" jsonschema_description:"An empty source value clears the target. Default: true for references such as manager, else false."`
	MatchingPriority int        `yaml:"matchingPriority" jsonschema:"minimum=1" jsonschema_description:"Makes the attribute a matching attribute; 1 is tried first."`
	Sensitive        bool       `yaml:"sensitive" jsonschema:"default=false" jsonschema_description:"The attribute's values appear in no output, log or error."`
	Type             DataType   `yaml:"type" jsonschema_description:"For a directory extension as target: the data type it was registered with, so that values are converted to it."`
	AllowedValues    []Word     `yaml:"allowedValues" jsonschema_description:"The only values that may be written, exactly as they are written; a user who would get another one fails."`
	Multivalued      bool       `yaml:"multivalued" jsonschema:"default=false" jsonschema_description:"For a directory extension as target: it was registered to hold several values."`
}

// DataType is what a directory extension holds; "" when the mapping does not say.
type DataType string

// Expression is the text of an expression. References like ${VAR} are not
// replaced in it: ${name} has a meaning of its own in regular expressions.
type Expression string

// FlowType says when a mapping's value flows.
type FlowType string

// Drift says what becomes of a value that was changed in the target.
type Drift string

// Literal is a value written in the file. Its zero value was not written.
type Literal struct {
	Value directory.Value // null when the file says null, absent when it says nothing
}

// Written reports whether the file gives the value, be it null.
func (l Literal) Written() bool { return !l.Value.IsAbsent() }

// InviteBy says which address of the source user is invited.
type InviteBy string

// The addresses.
const (
	ByUserPrincipalName InviteBy = "userPrincipalName"
	ByMail              InviteBy = "mail"
)

// Invitation says how target users are created.
type Invitation struct {
	By          InviteBy `yaml:"by" jsonschema:"default=userPrincipalName" jsonschema_description:"The address that is invited."`
	RedirectURL string   `yaml:"redirectUrl" jsonschema_description:"Where the user lands after the first sign-in. Default: My Apps of the target tenant."`
	SendMessage bool     `yaml:"sendMessage" jsonschema:"default=false" jsonschema_description:"Lets Microsoft send its invitation mail."`
}

// TargetBlock says what wins over a sign-in block set by hand in the target.
type TargetBlock string

// The answers: the block stays, or gives way when the source is enabled again.
const (
	KeepBlock  TargetBlock = "keep"
	YieldBlock TargetBlock = "yield"
)

// Deprovision says what leaving scope does to the target user.
type Deprovision string

// The consequences.
const (
	Delete  Deprovision = "delete"
	Disable Deprovision = "disable"
	Nothing Deprovision = "none"
)

// ObjectAction is something a job may do to target users.
type ObjectAction string

// The actions.
const (
	CreateObjects ObjectAction = "create"
	UpdateObjects ObjectAction = "update"
	DeleteObjects ObjectAction = "delete"
)

// Deletions is the accidental-deletion threshold of a job. Either number fires.
type Deletions struct {
	Prevent   bool    `yaml:"prevent" jsonschema:"default=true" jsonschema_description:"Holds the deletions of a cycle that has too many, until somebody allows them."`
	Threshold int     `yaml:"threshold" jsonschema:"default=500,minimum=0" jsonschema_description:"Deletes and disables by leaving scope that one cycle may do."`
	Percent   float64 `yaml:"percent" jsonschema:"default=10,minimum=0,maximum=100" jsonschema_description:"The same as a share of the users linked at the start of the cycle; counts from 10 deletions up; 0 = off."`

	Window          Duration `yaml:"window" jsonschema:"default=7d" jsonschema_description:"How far back deletions are added up, so that many small steps are held as well; 0 = off."`
	WindowThreshold int      `yaml:"windowThreshold" jsonschema:"default=5000,minimum=0" jsonschema_description:"Deletes and disables by leaving scope that may go without approval within the window; 10 times a threshold above 500; 0 = off."`
	WindowPercent   float64  `yaml:"windowPercent" jsonschema:"default=25,minimum=0,maximum=100" jsonschema_description:"The same as a share of the most users linked within the window; counts from 50 deletions up; 2.5 times a percent above 10, and 0 where percent is 0; 0 = off."`
}

// Guards hold what looks like an accident; 0 turns one off.
type Guards struct {
	ScopeShrink float64 `yaml:"scopeShrink" jsonschema:"default=50,minimum=0,maximum=100" jsonschema_description:"Holds every delete when the scope shrank by more than this share; 0 = off."`
	Changes     float64 `yaml:"changes" jsonschema:"default=10,minimum=0,maximum=100" jsonschema_description:"Holds the first cycle after a change of the configuration when it would create or update more than this share of the links; 0 = off."`

	Creates       float64 `yaml:"creates" jsonschema:"default=50,minimum=0,maximum=100" jsonschema_description:"Holds the creates and restores of a cycle that has more than this share of the links, and more than 1000; 0 = off."`
	CreatesPerDay int     `yaml:"createsPerDay" jsonschema:"default=0,minimum=0" jsonschema_description:"Creates and restores that may go without approval within 24 hours; 0 = off."`
	Updates       float64 `yaml:"updates" jsonschema:"default=50,minimum=0,maximum=100" jsonschema_description:"Holds the updates of a cycle that has more than this share of the links, and more than 1000; 0 = off."`
	Members       float64 `yaml:"members" jsonschema:"default=10,minimum=0,maximum=100" jsonschema_description:"Holds the updates that make guests members when they are more than this share of the links, and more than 100; 0 = off."`
}

// Ownership says where target users bear the id of their source user.
type Ownership struct {
	Attribute string `yaml:"attribute" jsonschema_description:"The attribute of the target user, extensionAttribute1 to extensionAttribute15, that nothing else uses. Default: none, no stamp."`
}

// Limits bound what a job asks of Graph.
type Limits struct {
	WritesPerSecond float64 `yaml:"writesPerSecond" jsonschema:"default=18,exclusiveMinimum=0,maximum=1000" jsonschema_description:"Writes to the target in a second, shared by all jobs with the same application and target."`
	ParallelReads   int     `yaml:"parallelReads" jsonschema:"default=4,minimum=1,maximum=64" jsonschema_description:"Requests that read at the same time."`
}

// Job is one synchronization job.
type Job struct {
	Name                string         `yaml:"name" jsonschema:"required" jsonschema_description:"The job's name, unique in the file."`
	Enabled             bool           `yaml:"enabled" jsonschema:"default=true" jsonschema_description:"Whether the daemon runs the job."`
	Source              string         `yaml:"source" jsonschema:"required" jsonschema_description:"The name of the tenant that is read. Nothing is ever written to it."`
	Target              string         `yaml:"target" jsonschema:"required" jsonschema_description:"The name of the tenant that receives the users."`
	Schedule            string         `yaml:"schedule" jsonschema:"default=@every 40m" jsonschema_description:"When a cycle starts: @every with a duration, or five cron fields."`
	CompareEvery        Duration       `yaml:"compareEvery" jsonschema:"default=0" jsonschema_description:"How often a cycle compares everybody with the target, e.g. 7d; at least 1h; 0 = only where something else asks for it."`
	TimeZone            string         `yaml:"timeZone" jsonschema_description:"The time zone of the cron fields, e.g. Europe/Berlin. Default: the machine's."`
	AutoStart           bool           `yaml:"autoStart" jsonschema:"default=false" jsonschema_description:"Whether a job that never ran starts by itself."`
	Scope               Scope          `yaml:"scope" jsonschema_description:"Who is synchronized."`
	TargetObjectActions []ObjectAction `yaml:"targetObjectActions" jsonschema:"minItems=1" jsonschema_description:"What the job may do in the target. Default: all three."`
	Mappings            []Mapping      `yaml:"mappings" jsonschema:"minItems=1" jsonschema_description:"The attribute mappings. Default: those of Microsoft Entra."`
	Invitation          Invitation     `yaml:"invitation" jsonschema_description:"How users are invited."`
	TargetBlock         TargetBlock    `yaml:"targetBlock" jsonschema:"default=keep" jsonschema_description:"A sign-in block set by hand in the target: keep it, or let it yield when the source user is enabled again."`
	Deprovision         Deprovision    `yaml:"deprovision" jsonschema:"default=delete" jsonschema_description:"What leaving scope does to the target user."`
	DeleteAfter         Duration       `yaml:"deleteAfter" jsonschema:"default=0" jsonschema_description:"With deprovision disable: delete after this time out of scope, e.g. 30d; 0 = never."`
	Ownership           Ownership      `yaml:"ownership" jsonschema_description:"Stamps target users with the source user they belong to."`
	Deletions           Deletions      `yaml:"deletions" jsonschema_description:"The accidental-deletion threshold."`
	Guards              Guards         `yaml:"guards" jsonschema_description:"Further guards against accidents."`
	ProtectedUsers      []string       `yaml:"protectedUsers" jsonschema_description:"Users of the target, by object id, user principal name or mail, who are never adopted, updated, disabled or deleted."`
	AllowedDomains      []string       `yaml:"allowedDomains" jsonschema_description:"Only addresses in these domains are invited. Default: every verified domain of the source."`
	Limits              Limits         `yaml:"limits" jsonschema_description:"What the job asks of Graph at most."`

	// Location is where the schedule's cron fields are read; time.Local without
	// a timeZone.
	Location *time.Location `yaml:"-"`
	// Filter is the compiled scope.filters; it is never nil.
	Filter *scope.Filter `yaml:"-"`
	// Schema is the compiled mappings, or the default ones when the file gives
	// none; it is never nil.
	Schema *mapping.Schema `yaml:"-"`
}

// Allows reports whether the job may do something to target users.
func (j *Job) Allows(a ObjectAction) bool {
	for _, x := range j.TargetObjectActions {
		if x == a {
			return true
		}
	}
	return false
}

// StoreKind is a kind of store.
type StoreKind string

// Bolt is a single state file.
const Bolt StoreKind = "bolt"

// Store says where the state is kept. Path is absolute after Load.
type Store struct {
	Kind StoreKind `yaml:"kind" jsonschema:"default=bolt" jsonschema_description:"The kind of store."`
	Path string    `yaml:"path" jsonschema:"default=state.db" jsonschema_description:"The state file; a relative path is relative to this file."`
	// Reserve is the space that a cycle wants beside the state file, 0 for none.
	Reserve Size `yaml:"reserve" jsonschema:"default=64MiB" jsonschema_description:"No cycle begins with less space left beside the state file than this, or than a tenth of a small file system; 0 = off."`
	// Backups are made by the daemon only.
	Backups Backups `yaml:"backups" jsonschema_description:"Verified copies that the daemon makes, in the folder backups beside the state file."`
}

// Backups says how often a copy is made, and how many of them are kept.
type Backups struct {
	Every Duration `yaml:"every" jsonschema:"default=24h" jsonschema_description:"How often a backup is made, at least 1m; 0 = never."`
	Keep  int      `yaml:"keep" jsonschema:"default=7,minimum=1,maximum=1000" jsonschema_description:"How many are kept; older ones are removed. Copies made by hand under other names stay."`
}

// Control says where the daemon answers. After Load, Listen is "" (nowhere),
// "unix:" with an absolute path, or HOST:PORT of a loopback address.
type Control struct {
	Listen        string         `yaml:"listen" jsonschema_description:"unix:PATH (relative to the state file's folder), 127.0.0.1:PORT, or \"\" for none. Default: unix:control.sock."`
	Tokens        []ControlToken `yaml:"tokens" jsonschema_description:"Named tokens, for people and programs that may do less than whoever owns the state file, or that have no account here."`
	RequireReason bool           `yaml:"requireReason" jsonschema:"default=false" jsonschema_description:"What needs the role approver needs a --reason as well, which the audit keeps."`
}

// ControlToken is one named token of the control interface.
type ControlToken struct {
	Name      string      `yaml:"name" jsonschema:"required" jsonschema_description:"Who bears the token, as the audit names him."`
	Role      ControlRole `yaml:"role" jsonschema:"required" jsonschema_description:"What the bearer may do: look, run jobs as they are configured, or decide what the guards hold."`
	TokenFile string      `yaml:"tokenFile" jsonschema:"required" jsonschema_description:"A file with the token's hash as tenantsync token new writes it, never with the token; relative to this file. Several lines are several valid tokens."`

	// Hashes are the digests that the file holds.
	Hashes []token.Digest `yaml:"-"`
}

// ControlRole is what the bearer of a token may do.
type ControlRole string

// The roles. Each may do what the one before it may.
const (
	ReaderRole   ControlRole = "reader"
	OperatorRole ControlRole = "operator"
	ApproverRole ControlRole = "approver"
)

// LogLevel is the least severity the program logs.
type LogLevel string

// The levels.
const (
	Debug LogLevel = "debug"
	Info  LogLevel = "info"
	Warn  LogLevel = "warn"
	Error LogLevel = "error"
)

// LogFormat is the form of the program's log lines.
type LogFormat string

// The forms.
const (
	JSONFormat LogFormat = "json"
	TextFormat LogFormat = "text"
)

// Logs says what is kept of the provisioning log and how the program logs.
type Logs struct {
	Retention Duration  `yaml:"retention" jsonschema:"default=90d" jsonschema_description:"How long entries of the provisioning log are kept."`
	Level     LogLevel  `yaml:"level" jsonschema:"default=info" jsonschema_description:"The least severity that is logged on stderr."`
	Format    LogFormat `yaml:"format" jsonschema:"default=json" jsonschema_description:"The form of the lines on stderr."`
}
