package engine_test

import (
	"slices"

	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
)

// direct is a mapping of one attribute to another.
func direct(target, source string) mapping.Mapping {
	return mapping.Mapping{Target: target, Source: source}
}

// defaultsWith returns the default mappings; those given stand in place of the
// default with the same target, or are added.
func defaultsWith(over ...mapping.Mapping) []mapping.Mapping {
	out := mapping.Default()
	for _, m := range over {
		i := slices.IndexFunc(out, func(d mapping.Mapping) bool { return d.Target == m.Target })
		if i < 0 {
			out = append(out, m)
			continue
		}
		out[i] = m
	}
	return out
}

// withoutPermission takes a permission of the source tenant's app away.
func (w *world) withoutPermission(name string) {
	w.Helper()
	apps := w.contoso.Dump().Applications
	for i, a := range apps {
		o := a.Map()
		o["roles"] = slices.DeleteFunc(a.Strings("roles"), func(r string) bool { return r == name })
		changed, err := entrasim.NewObject(o)
		w.must(err)
		apps[i] = changed
	}
	_, err := w.contoso.Load(entrasim.File{Applications: apps})
	w.must(err)
}
