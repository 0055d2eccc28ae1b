package entra

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"

	abs "github.com/microsoft/kiota-abstractions-go"

	"tenantsync/directory"
)

// Extensions returns the directory extensions that are registered in the tenant,
// by name. No cycle needs them: a check of the configuration does.
// https://learn.microsoft.com/graph/api/directoryobject-getavailableextensionproperties
func (r reader) Extensions(ctx context.Context) ([]directory.Extension, error) {
	ans, err := r.c.extensions(ctx, r.m)
	if err != nil {
		return nil, err
	}
	list, err := decodeExtensions(ans.body)
	if err != nil {
		return nil, r.c.malformed(callExtensions, ans, err)
	}
	return list, nil
}

// extensions asks for the directory extensions that the tenant takes. Graph has an
// action for it, which only reads.
func (c *Client) extensions(ctx context.Context, m *Meter) (answer, error) {
	return c.read(ctx, m, callExtensions, abs.POST, c.graph+"/directoryObjects/getAvailableExtensionProperties", []byte("{}"))
}

func decodeExtensions(b []byte) ([]directory.Extension, error) {
	var doc struct {
		Value *[]struct {
			Name        string   `json:"name"`
			DataType    string   `json:"dataType"`
			Multivalued bool     `json:"isMultiValued"`
			Targets     []string `json:"targetObjects"`
			Application string   `json:"appDisplayName"`
		} `json:"value"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, err
	}
	if doc.Value == nil {
		return nil, errors.New("answer without value")
	}
	list := make([]directory.Extension, 0, len(*doc.Value))
	for _, e := range *doc.Value {
		if e.Name == "" || e.DataType == "" {
			return nil, errors.New("directory extension without name or data type")
		}
		list = append(list, directory.Extension{Name: e.Name, Type: e.DataType, Multivalued: e.Multivalued,
			Users: slices.Contains(e.Targets, "User"), Application: e.Application})
	}
	slices.SortFunc(list, func(a, b directory.Extension) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}
