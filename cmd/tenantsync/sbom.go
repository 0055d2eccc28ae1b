package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"runtime/debug"
	"slices"
	"strings"
)

// billOfMaterials is what the binary is made of, as CycloneDX 1.5 writes it: the
// module itself, every module that is linked, and the standard library. It has
// neither time nor serial number, so that one binary has one bill.
// https://cyclonedx.org/docs/1.5/json/
type billOfMaterials struct {
	Schema       string       `json:"$schema"`
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	Version      int          `json:"version"` // of the bill, always 1
	Metadata     billMetadata `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type billMetadata struct {
	Component component `json:"component"`
}

// component is one module. Ref names it within the bill and is its package URL.
type component struct {
	Type       string         `json:"type"`
	Ref        string         `json:"bom-ref"`
	Name       string         `json:"name"`
	Version    string         `json:"version,omitempty"`
	PURL       string         `json:"purl"`
	Properties []billProperty `json:"properties,omitempty"`
}

type billProperty struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// billOf returns the bill of a binary that was built like this. Which module needs
// which is not recorded in a binary: all of them count as needed by the program.
func billOf(build *debug.BuildInfo, version string) billOfMaterials {
	version = cmp.Or(version, build.Main.Version)
	if version == "(devel)" { // Go's word for none
		version = ""
	}
	main := moduleComponent("application", build.Main.Path, version, "")
	for _, s := range build.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED", "vcs.revision", "vcs.modified", "-trimpath", "-tags":
			main.Properties = append(main.Properties, billProperty{"go:build:" + s.Key, s.Value})
		}
	}
	list := []component{moduleComponent("library", "stdlib", strings.TrimPrefix(build.GoVersion, "go"), "")}
	for _, m := range build.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		list = append(list, moduleComponent("library", m.Path, m.Version, m.Sum))
	}
	slices.SortFunc(list, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	needs := dependency{Ref: main.Ref}
	for _, c := range list {
		needs.DependsOn = append(needs.DependsOn, c.Ref)
	}
	return billOfMaterials{
		Schema: "http://cyclonedx.org/schema/bom-1.5.schema.json", Format: "CycloneDX", SpecVersion: "1.5", Version: 1,
		Metadata: billMetadata{main}, Components: list, Dependencies: []dependency{needs},
	}
}

// moduleComponent describes a module. sum is its line in go.sum, "" without one.
func moduleComponent(kind, path, version, sum string) component {
	// A package URL has its own meaning for each of these.
	escape := strings.NewReplacer("%", "%25", "+", "%2B", "@", "%40", "?", "%3F", "#", "%23")
	url := "pkg:golang/" + escape.Replace(path)
	if version != "" {
		url += "@" + escape.Replace(version)
	}
	c := component{Type: kind, Ref: url, Name: path, Version: version, PURL: url}
	if sum != "" {
		c.Properties = []billProperty{{"go:sum", sum}}
	}
	return c
}

// writeBill writes the bill of this very binary.
func writeBill(w io.Writer) error {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("the binary does not say what it is made of: it was built without modules")
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(billOf(build, version))
}
