package entra

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tenantsync/directory"
)

// groupRecord is one record of a delta round over groups.
type groupRecord struct {
	ID          string   `json:"id"`
	DisplayName string   `json:"displayName"`
	Removed     *removal `json:"@removed"`
	Members     []struct {
		Type    string   `json:"@odata.type"`
		ID      string   `json:"id"`
		Removed *removal `json:"@removed"`
	} `json:"members@delta"`
}

type removal struct {
	Reason string `json:"reason"`
}

func (r *removal) kind() directory.Removal {
	switch {
	case r == nil:
		return directory.NotRemoved
	case strings.EqualFold(r.Reason, string(directory.Purged)):
		return directory.Purged
	}
	return directory.SoftDeleted
}

// decodeGroupPage reads one page of a delta round over groups, strictly to its end.
func decodeGroupPage(b []byte) (directory.GroupPage, error) {
	var doc struct {
		Next      string         `json:"@odata.nextLink"`
		Watermark string         `json:"@odata.deltaLink"`
		Value     *[]groupRecord `json:"value"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return directory.GroupPage{}, err
	}
	switch {
	case doc.Value == nil:
		return directory.GroupPage{}, errors.New("page without value")
	case doc.Next != "" && doc.Watermark != "":
		return directory.GroupPage{}, errors.New("page with both nextLink and deltaLink")
	}
	page := directory.GroupPage{Next: doc.Next, Watermark: doc.Watermark, Groups: make([]directory.GroupChange, 0, len(*doc.Value))}
	for i, g := range *doc.Value {
		change, err := g.change()
		if err != nil {
			return directory.GroupPage{}, fmt.Errorf("value[%d]: %w", i, err)
		}
		page.Groups = append(page.Groups, change)
	}
	return page, nil
}

func (g groupRecord) change() (directory.GroupChange, error) {
	if g.ID == "" {
		return directory.GroupChange{}, errors.New("group without id")
	}
	out := directory.GroupChange{ID: g.ID, DisplayName: g.DisplayName, Removed: g.Removed.kind()}
	for i, m := range g.Members {
		switch {
		case m.ID == "":
			return directory.GroupChange{}, fmt.Errorf("members@delta[%d]: member without id", i)
		case m.Removed != nil:
			out.Dropped = append(out.Dropped, m.ID)
		default:
			out.Added = append(out.Added, directory.Membership{ID: m.ID,
				IsGroup: strings.EqualFold(m.Type, "#microsoft.graph.group"),
				IsUser:  strings.EqualFold(m.Type, "#microsoft.graph.user")})
		}
	}
	return out, nil
}
