package pseudonym_test

import (
	"encoding/json"
	"strings"
	"testing"

	"tenantsync/entra/pseudonym"
)

// synchronizedBy is a service principal with a synchronization job that names people
// where somebody may have written their names.
const synchronizedBy = `{"servicePrincipals":[{"id":"11111111-0000-4000-8000-0000000000e1","displayName":"Fabrikam",
"applicationTemplateId":"518e5f48-1fc8-4c48-9387-9fdf28b0dfe7",
"synchronization":{"jobs":[{"id":"Azure2Azure.33333333000040008000000000000001.b","templateId":"Azure2Azure",
	"schedule":{"interval":"PT40M","state":"Active"},"status":{"code":"Active","lastExecution":{"error":{"message":"Wanda Berglund is no user"}}},
	"schema":{"id":"s","version":"v1","remark":"Wanda Berglund asked","directories":[{"name":"Contoso","objects":[{"name":"User","attributes":[{"name":"surname","type":"String"}]}]}],
	"synchronizationRules":[{"name":"USER_INBOUND_USER","priority":1,"sourceDirectoryName":"Contoso","targetDirectoryName":"Fabrikam","objectMappings":[
		{"enabled":true,"name":"Users","sourceObjectName":"User","targetObjectName":"User","flowTypes":"Add, Update, Delete",
		"attributeMappings":[{"targetAttributeName":"displayName","flowType":"Always","matchingPriority":0,
			"source":{"type":"Function","name":"Join","expression":"Join(\", \", [surname], [givenName])","parameters":[{"key":"source","value":{"type":"Attribute","name":"surname"}}]}}],
		"scope":{"categoryFilterGroups":[],"inputFilterGroups":[],"groups":[{"name":"Without Wanda Berglund","clauses":[{"name":"Wanda","operatorName":"NOT EQUALS","sourceOperandName":"department",
			"targetOperand":{"key":null,"values":["Sales"]}}]}]}}]}]}}],
"secrets":[{"key":"CompanyId","value":"33333333000040008000000000000001"},{"key":"SyncAll","value":"False"},{"key":"Password","value":"*"},
	{"key":"SyncNotificationSettings","value":"{\"Enabled\":true,\"Recipients\":\"wanda.berglund@contoso.example\",\"DeleteThresholdEnabled\":true,\"DeleteThresholdValue\":20}"},
	{"key":"UserName","value":"wanda.berglund@contoso.example"}]}}]}`

func TestSynchronizationNamesNobody(t *testing.T) {
	p, err := pseudonym.New(make([]byte, pseudonym.KeySize), pseudonym.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.File([]byte(synchronizedBy))
	if err != nil {
		t.Fatal(err)
	}
	got := string(out)
	for _, name := range []string{"wanda", "berglund"} {
		if strings.Contains(strings.ToLower(got), name) {
			t.Errorf("%s is named:\n%s", name, got)
		}
	}
	for _, stays := range []string{
		`"displayName":"Fabrikam"`, `"applicationTemplateId":"518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"`, `"id":"Azure2Azure.33333333000040008000000000000001.b"`, `"templateId":"Azure2Azure"`,
		`"interval":"PT40M"`, `"code":"Active"`, `"expression":"Join(\", \", [surname], [givenName])"`, `"name":"USER_INBOUND_USER"`, `"priority":1`,
		`"flowTypes":"Add, Update, Delete"`, `"sourceObjectName":"User"`, `"operatorName":"NOT EQUALS"`, `"sourceOperandName":"department"`, `"values":["Sales"]`,
		`"attributes":[{"name":"surname","type":"String"}]`, `"value":"33333333000040008000000000000001"`, `"value":"False"`, `"value":"*"`,
		`\"DeleteThresholdEnabled\":true,\"DeleteThresholdValue\":20`, `@contoso.example`,
	} {
		if !strings.Contains(got, stays) {
			t.Errorf("%s does not stay:\n%s", stays, got)
		}
	}
	if !json.Valid(out) {
		t.Errorf("no JSON: %s", got)
	}
}
