package entra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tenantsync/directory"
)

// Source reads a tenant and never writes to it. It is safe for concurrent use.
type Source struct {
	reader
	users, groups trail
}

// Changes reads one page of a delta round over the users. An empty cursor begins
// a full round; any other is a link of an earlier page, followed as it is, and
// decides by itself what is selected. A record mentions what it has to say and
// nothing else: what it leaves out is absent. The manager comes with the page
// when it is selected. A cursor the service no longer accepts is an error of
// kind WatermarkExpired.
// https://learn.microsoft.com/graph/delta-query-users
func (s *Source) Changes(ctx context.Context, selects []string, cursor string) (directory.Page, error) {
	link := cursor
	if link == "" {
		link = s.c.graph + "/users/delta?" + selectOf(selects, true)
	}
	ans, page, err := s.c.usersPage(ctx, s.m, callDelta, link, selects)
	if err != nil {
		return directory.Page{}, err
	}
	if page.Next == "" && page.Watermark == "" {
		return directory.Page{}, s.c.malformed(callDelta, ans, errors.New("delta page without nextLink and deltaLink"))
	}
	if !s.users.step(cursor, page.Next) {
		return directory.Page{}, s.c.malformed(callDelta, ans, errCircle)
	}
	return page, nil
}

var errCircle = errors.New("nextLink leads back to an earlier page")

// usersPage reads one page of users and checks where its links lead.
func (c *Client) usersPage(ctx context.Context, m *Meter, what call, link string, selects []string) (answer, directory.Page, error) {
	ans, err := c.get(ctx, m, what, link)
	if err != nil {
		return ans, directory.Page{}, err
	}
	page, err := decodePage(ans.body, selects)
	if err != nil {
		return ans, directory.Page{}, c.malformed(what, ans, err)
	}
	return ans, page, c.checkLinks(what, page.Next, page.Watermark)
}

// checkLinks refuses a page that leads elsewhere.
func (c *Client) checkLinks(what call, next, watermark string) error {
	for _, link := range []string{next, watermark} {
		if link == "" {
			continue
		}
		if _, err := c.pinned(what, link); err != nil {
			return err
		}
	}
	return nil
}

// Groups reads one page of a delta round over at most 50 groups by id. A group
// may come several times in a round, with other members each time.
// https://learn.microsoft.com/graph/delta-query-groups
func (s *Source) Groups(ctx context.Context, ids []string, cursor string) (directory.GroupPage, error) {
	link := cursor
	if link == "" {
		if len(ids) == 0 || len(ids) > 50 {
			return directory.GroupPage{}, fmt.Errorf("group delta over %d groups: want 1 to 50", len(ids))
		}
		terms := make([]string, len(ids))
		for i, id := range ids {
			terms[i] = "id eq " + literal(id)
		}
		link = s.c.graph + "/groups/delta?$select=id,displayName,members&$filter=" + query(strings.Join(terms, " or "))
	}
	ans, err := s.c.get(ctx, s.m, callGroupDelta, link)
	if err != nil {
		return directory.GroupPage{}, err
	}
	page, err := decodeGroupPage(ans.body)
	if err == nil && page.Next == "" && page.Watermark == "" {
		err = errors.New("delta page without nextLink and deltaLink")
	}
	if err == nil && !s.groups.step(cursor, page.Next) {
		err = errCircle
	}
	if err != nil {
		return directory.GroupPage{}, s.c.malformed(callGroupDelta, ans, err)
	}
	return page, s.c.checkLinks(callGroupDelta, page.Next, page.Watermark)
}

// Group reads one group's own record. Its kind of error is NotFound when there
// is no such group.
func (s *Source) Group(ctx context.Context, id string) (directory.Group, error) {
	name, err := segment(id)
	if err != nil {
		return directory.Group{}, s.c.noSuchID(callGroup, err)
	}
	ans, err := s.c.get(ctx, s.m, callGroup, s.c.graph+"/groups/"+name+"?$select=id,displayName,securityEnabled,visibility")
	if err != nil {
		return directory.Group{}, err
	}
	var doc struct {
		ID              string `json:"id"`
		DisplayName     string `json:"displayName"`
		SecurityEnabled bool   `json:"securityEnabled"`
		Visibility      string `json:"visibility"`
	}
	if err := json.Unmarshal(ans.body, &doc); err != nil {
		return directory.Group{}, s.c.malformed(callGroup, ans, err)
	}
	if doc.ID == "" {
		return directory.Group{}, s.c.malformed(callGroup, ans, errors.New("group without id"))
	}
	return directory.Group{ID: doc.ID, DisplayName: doc.DisplayName, SecurityEnabled: doc.SecurityEnabled,
		HiddenMembership: strings.EqualFold(doc.Visibility, "HiddenMembership")}, nil
}

// noSuchID is the error for an id that cannot be one.
func (c *Client) noSuchID(what call, err error) *directory.Error {
	return &directory.Error{Op: what.op, Kind: directory.NotFound, Tenant: c.name, Err: err}
}

// ReadsHidden reports whether the token says that hidden memberships may be
// read. An opaque token, or none, does not say so.
func (s *Source) ReadsHidden(ctx context.Context) bool {
	roles, known, err := s.Permissions(ctx)
	return err == nil && known && slices.Contains(roles, "Member.Read.Hidden")
}

// Assignments reads all app-role assignments of a service principal: the users
// and groups it is assigned to.
func (s *Source) Assignments(ctx context.Context, servicePrincipalID string) ([]directory.Assignment, error) {
	name, err := segment(servicePrincipalID)
	if err != nil {
		return nil, s.c.noSuchID(callAssignments, err)
	}
	link := s.c.graph + "/servicePrincipals/" + name + "/appRoleAssignedTo?$top=999"
	out := []directory.Assignment{}
	for passed := new(trail); link != ""; {
		ans, err := s.c.get(ctx, s.m, callAssignments, link)
		if err != nil {
			return nil, err
		}
		page, next, err := decodeAssignments(ans.body)
		if err != nil {
			return nil, s.c.malformed(callAssignments, ans, err)
		}
		if err := s.c.checkLinks(callAssignments, next, ""); err != nil {
			return nil, err
		}
		if !passed.step(link, next) {
			return nil, s.c.malformed(callAssignments, ans, errCircle)
		}
		out, link = append(out, page...), next
	}
	return out, nil
}

// AppRoles returns the roles that the application of a service principal defines.
func (s *Source) AppRoles(ctx context.Context, servicePrincipalID string) ([]directory.AppRole, error) {
	name, err := segment(servicePrincipalID)
	if err != nil {
		return nil, s.c.noSuchID(callAssignments, err)
	}
	ans, err := s.c.get(ctx, s.m, callAssignments, s.c.graph+"/servicePrincipals/"+name+"?$select=id,appRoles")
	if err != nil {
		return nil, err
	}
	roles, err := decodeAppRoles(ans.body)
	if err != nil {
		return nil, s.c.malformed(callAssignments, ans, err)
	}
	return roles, nil
}

func decodeAppRoles(b []byte) ([]directory.AppRole, error) {
	var doc struct {
		Roles []struct {
			ID          string `json:"id"`
			Value       string `json:"value"`
			DisplayName string `json:"displayName"`
		} `json:"appRoles"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, err
	}
	out := make([]directory.AppRole, 0, len(doc.Roles))
	for i, r := range doc.Roles {
		if r.ID == "" {
			return nil, fmt.Errorf("appRoles[%d]: role without id", i)
		}
		out = append(out, directory.AppRole{ID: r.ID, Value: r.Value, DisplayName: r.DisplayName})
	}
	return out, nil
}

func decodeAssignments(b []byte) (page []directory.Assignment, next string, err error) {
	var doc struct {
		Next  string `json:"@odata.nextLink"`
		Value *[]struct {
			PrincipalID   string `json:"principalId"`
			PrincipalType string `json:"principalType"`
			AppRoleID     string `json:"appRoleId"`
			DisplayName   string `json:"principalDisplayName"`
		} `json:"value"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, "", err
	}
	if doc.Value == nil {
		return nil, "", errors.New("page without value")
	}
	for i, v := range *doc.Value {
		if v.PrincipalID == "" {
			return nil, "", fmt.Errorf("value[%d]: assignment without principalId", i)
		}
		page = append(page, directory.Assignment{
			PrincipalID: v.PrincipalID, AppRoleID: v.AppRoleID, DisplayName: v.DisplayName,
			IsGroup: strings.EqualFold(v.PrincipalType, "Group"), IsUser: strings.EqualFold(v.PrincipalType, "User"),
		})
	}
	return page, doc.Next, nil
}
