package entra

import (
	"context"
	"encoding/json"
	"errors"
)

// collect reads a list to its end, object by object.
func (c *Client) collect(ctx context.Context, m *Meter, what call, link string, each func(json.RawMessage) error) error {
	for passed := new(trail); link != ""; {
		ans, err := c.get(ctx, m, what, link)
		if err != nil {
			return err
		}
		var page struct {
			Next  string             `json:"@odata.nextLink"`
			Value *[]json.RawMessage `json:"value"`
		}
		err = json.Unmarshal(ans.body, &page)
		if err == nil && page.Value == nil {
			err = errors.New("page without value")
		}
		if err == nil && !passed.step(link, page.Next) {
			err = errCircle
		}
		if err != nil {
			return c.malformed(what, ans, err)
		}
		if err := c.checkLinks(what, page.Next, ""); err != nil {
			return err
		}
		for _, raw := range *page.Value {
			if err := each(raw); err != nil {
				return c.malformed(what, ans, err)
			}
		}
		link = page.Next
	}
	return nil
}
