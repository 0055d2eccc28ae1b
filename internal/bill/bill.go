package bill

import (
	"cmp"
	"encoding/json"
	"io"
	"runtime/debug"
	"slices"
	"strings"
)

// Bill is what a binary is made of, as CycloneDX 1.5 writes it: the module itself,
// every module that is linked, and the standard library. It has neither time nor
// serial number, so that one binary has one bill.
// https://cyclonedx.org/docs/1.5/json/
type Bill struct {
	Schema       string       `json:"$schema"`
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	Version      int          `json:"version"` // of the bill, always 1
	Metadata     Metadata     `json:"metadata"`
	Components   []Component  `json:"components"`
	Dependencies []Dependency `json:"dependencies"`
}

// Metadata says whose bill it is.
type Metadata struct {
	Component Component `json:"component"`
}

// Component is one module. Ref names it within the bill and is its package URL.
type Component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	PURL       string     `json:"purl"`
	Properties []Property `json:"properties,omitempty"`
}

// Property is a fact that CycloneDX has no field for.
type Property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Dependency lists, by their Ref, the components that one needs.
type Dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// Of returns the bill of a binary that was built like this, in this version; "" is
// the version that the build info knows, if any. Which module needs which is not
// recorded in a binary: all of them count as needed by the program.
func Of(build *debug.BuildInfo, version string) Bill {
	version = cmp.Or(version, build.Main.Version)
	if version == "(devel)" { // Go's word for none
		version = ""
	}
	main := moduleComponent("application", build.Main.Path, version, "")
	for _, s := range build.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED", "vcs.revision", "vcs.modified", "-trimpath", "-tags":
			main.Properties = append(main.Properties, Property{"go:build:" + s.Key, s.Value})
		}
	}
	list := []Component{moduleComponent("library", "stdlib", strings.TrimPrefix(build.GoVersion, "go"), "")}
	for _, m := range build.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		list = append(list, moduleComponent("library", m.Path, m.Version, m.Sum))
	}
	slices.SortFunc(list, func(a, b Component) int { return cmp.Compare(a.Ref, b.Ref) })
	needs := Dependency{Ref: main.Ref}
	for _, c := range list {
		needs.DependsOn = append(needs.DependsOn, c.Ref)
	}
	return Bill{
		Schema: "http://cyclonedx.org/schema/bom-1.5.schema.json", Format: "CycloneDX", SpecVersion: "1.5", Version: 1,
		Metadata: Metadata{main}, Components: list, Dependencies: []Dependency{needs},
	}
}

// moduleComponent describes a module. sum is its line in go.sum, "" without one.
func moduleComponent(kind, path, version, sum string) Component {
	// A package URL has its own meaning for each of these.
	escape := strings.NewReplacer("%", "%25", "+", "%2B", "@", "%40", "?", "%3F", "#", "%23")
	url := "pkg:golang/" + escape.Replace(path)
	if version != "" {
		url += "@" + escape.Replace(version)
	}
	c := Component{Type: kind, Ref: url, Name: path, Version: version, PURL: url}
	if sum != "" {
		c.Properties = []Property{{"go:sum", sum}}
	}
	return c
}

// Write writes the bill as indented JSON.
func (b *Bill) Write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(b)
}
