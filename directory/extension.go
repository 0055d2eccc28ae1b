package directory

// Extension is a directory extension registered in a tenant.
// https://learn.microsoft.com/graph/api/resources/extensionproperty
type Extension struct {
	Name        string // extension_<app id without dashes>_<name>
	Type        string // Binary, Boolean, DateTime, Integer, LargeInteger or String
	Multivalued bool
	Users       bool   // users can have it
	Application string // the display name of the application it belongs to, "" when not told
}
