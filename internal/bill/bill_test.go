package bill_test

import (
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/internal/bill"
)

func TestBillOfMaterials(t *testing.T) {
	t.Parallel()
	build := &debug.BuildInfo{
		GoVersion: "go1.26.1", Path: "tenantsync/cmd/tenantsync", Main: debug.Module{Path: "tenantsync", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "go.uber.org/zap", Version: "v1.27.0", Sum: "h1:zap="},
			{Path: "github.com/Azure/old", Version: "v3.0.0+incompatible", Sum: "h1:old="},
			{Path: "example.com/bad", Version: "v1.0.0", Sum: "h1:bad=", Replace: &debug.Module{Path: "example.com/good", Version: "v1.0.1", Sum: "h1:good="}},
		},
		Settings: []debug.BuildSetting{{Key: "-ldflags", Value: "-s -w"}, {Key: "GOOS", Value: "linux"}},
	}
	library := func(path, version, url string, sum ...string) bill.Component {
		c := bill.Component{Type: "library", Ref: url, Name: path, Version: version, PURL: url}
		if len(sum) > 0 {
			c.Properties = []bill.Property{{Name: "go:sum", Value: sum[0]}}
		}
		return c
	}
	want := bill.Bill{
		Schema: "http://cyclonedx.org/schema/bom-1.5.schema.json", Format: "CycloneDX", SpecVersion: "1.5", Version: 1,
		Metadata: bill.Metadata{Component: bill.Component{Type: "application", Ref: "pkg:golang/tenantsync@v1.2.3", Name: "tenantsync", Version: "v1.2.3",
			PURL: "pkg:golang/tenantsync@v1.2.3", Properties: []bill.Property{{Name: "go:build:GOOS", Value: "linux"}}}},
		Components: []bill.Component{
			library("example.com/good", "v1.0.1", "pkg:golang/example.com/good@v1.0.1", "h1:good="),
			library("github.com/Azure/old", "v3.0.0+incompatible", "pkg:golang/github.com/Azure/old@v3.0.0%2Bincompatible", "h1:old="),
			library("go.uber.org/zap", "v1.27.0", "pkg:golang/go.uber.org/zap@v1.27.0", "h1:zap="),
			library("stdlib", "1.26.1", "pkg:golang/stdlib@1.26.1"),
		},
		Dependencies: []bill.Dependency{{Ref: "pkg:golang/tenantsync@v1.2.3", DependsOn: []string{"pkg:golang/example.com/good@v1.0.1",
			"pkg:golang/github.com/Azure/old@v3.0.0%2Bincompatible", "pkg:golang/go.uber.org/zap@v1.27.0", "pkg:golang/stdlib@1.26.1"}}},
	}
	if diff := cmp.Diff(want, bill.Of(build, "v1.2.3")); diff != "" {
		t.Errorf("bill (-want +got):\n%s", diff)
	}
	if got := bill.Of(build, "").Metadata.Component.PURL; got != "pkg:golang/tenantsync" {
		t.Errorf("without a version: got %s, want pkg:golang/tenantsync", got)
	}
}
