package config

import (
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
)

// enum is a type whose values are a closed list of words. Decoding refuses any
// other word, and the JSON Schema lists them.
type enum interface{ words() []string }

func (Cloud) words() []string { return []string{"global", "usGov", "usGovDoD", "china"} }
func (CredentialKind) words() []string {
	return []string{"secret", "certificate", "managedIdentity", "workloadIdentity", "azureCLI"}
}
func (ScopeMode) words() []string { return []string{"assigned", "all"} }
func (Members) words() []string   { return []string{"any", "all"} }
func (FlowType) words() []string {
	return []string{"Always", "ObjectAddOnly", "MultiValueAddOnly", "ValueAddOnly", "AttributeAddOnly"}
}
func (Drift) words() []string        { return mapping.Drifts() }
func (DataType) words() []string     { return attribute.Types() }
func (InviteBy) words() []string     { return []string{"userPrincipalName", "mail"} }
func (TargetBlock) words() []string  { return []string{"keep", "yield"} }
func (Deprovision) words() []string  { return []string{"delete", "disable", "none"} }
func (ObjectAction) words() []string { return []string{"create", "update", "delete"} }
func (StoreKind) words() []string    { return []string{"bolt"} }
func (ControlRole) words() []string  { return []string{"reader", "operator", "approver"} }
func (LogLevel) words() []string     { return []string{"debug", "info", "warn", "error"} }
func (LogFormat) words() []string    { return []string{"json", "text"} }
