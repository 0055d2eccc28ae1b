package entrasim

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// updateUser answers PATCH /users/{id}: all of it or nothing.
func (x *call) updateUser() answer {
	body, refused := x.readObject()
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	o := x.findUser(x.ids[0])
	if o == nil {
		return x.notFound(x.ids[0])
	}
	fields, refused := x.checkFields(body, o)
	if refused != nil {
		return *refused
	}
	sensitive := slices.ContainsFunc(fields, func(f Field) bool {
		p, _ := userProperties.lookup(f.Name)
		return p.sensitive
	})
	if a, no := x.protected(o, sensitive); no {
		return a
	}
	if refused := x.checkMaster(o, fields); refused != nil {
		return *refused
	}
	if refused := x.checkUnique(o, fields); refused != nil {
		return *refused
	}
	t.set(o, t.derive(o, fields))
	return noContent()
}

// checkFields validates the properties of a body against the schema of a user;
// o is nil when the user is being created. The caller holds the lock.
func (x *call) checkFields(body Object, o *object) ([]Field, *answer) {
	var out []Field
	for _, f := range body.fields {
		if strings.HasPrefix(f.Name, "@odata.") {
			continue // clients name the type; Graph does not mind
		}
		p, found := userProperties.lookup(f.Name)
		if !found {
			a := x.badRequest("Property '%s' does not exist as a declared property or extension property.", f.Name)
			return nil, &a
		}
		if a := x.checkAccess(p, o); a != nil {
			return nil, a
		}
		if p.typ == typeExtension {
			raw, err := x.tenant.extensions.check(f.Name, f.Raw)
			if err != nil {
				a := x.badRequest("%s", err)
				return nil, &a
			}
			out = append(out, Field{p.name, raw})
			continue
		}
		raw, err := checkValue(p, f.Raw)
		if err != nil {
			a := x.fail(http.StatusBadRequest, "Request_BadRequest",
				fmt.Sprintf("Invalid value specified for property '%s' of resource 'User'. %s", p.name, err.Error()),
				detail{"InvalidValue", err.Error(), p.name})
			return nil, &a
		}
		if p.typ == typeObject && o != nil && p.name != "passwordProfile" && !isNull(raw) {
			raw = mergeObjects(o.raw(p.name), raw)
		}
		out = append(out, Field{p.name, raw})
	}
	if len(out) == 0 && o == nil {
		a := x.badRequest("The request body names no property.")
		return nil, &a
	}
	return out, nil
}

// checkAccess says whether the caller may write a property at all.
func (x *call) checkAccess(p property, o *object) *answer {
	var a answer
	external := o != nil && o.external()
	switch p.access {
	case accessWrite:
		return nil
	case accessInternal:
		if !external || x.cloud.opts.WritableGuestNames && p.name != "passwordProfile" {
			return nil
		}
		a = x.fail(http.StatusBadRequest, "Request_BadRequest",
			fmt.Sprintf("Property '%s' cannot be changed on an external user.", p.name), detail{"InvalidValue", "The value cannot be changed.", p.name})
	case accessIdentities:
		if x.allowed("User.ManageIdentities.All") {
			return nil
		}
		a = x.denied()
	case accessLeave:
		if x.allowed("User-LifeCycleInfo.ReadWrite.All") {
			return nil
		}
		a = x.denied()
	case accessForbidden:
		a = x.denied()
	case accessReference:
		a = x.badRequest("Property '%s' is a navigation property and cannot be set here; use $ref.", p.name)
	default:
		a = x.badRequest("Property '%s' is read-only and cannot be set.", p.name)
	}
	return &a
}

// valueError explains why Graph does not take a value.
type valueError string

// Error implements error.
func (e valueError) Error() string { return string(e) }

var (
	countryCode = regexp.MustCompile(`^[A-Z]{2}$`)
	userTypes   = []string{"Member", "Guest"}
)

// checkValue validates one value and returns it in the form it is stored in.
func checkValue(p property, raw string) (string, error) {
	if raw == "null" {
		if p.keep {
			return "", valueError("The value cannot be cleared.")
		}
		if p.typ == typeStrings || p.typ == typeObjects {
			return "", valueError("A collection cannot be null; use an empty one.")
		}
		return raw, nil
	}
	switch p.typ {
	case typeBool:
		if raw != "true" && raw != "false" {
			return "", valueError("A Boolean is expected.")
		}
		return raw, nil
	case typeStrings:
		list, ok := stringList(raw)
		if !ok || raw[0] != '[' {
			return "", valueError("A collection of strings is expected.")
		}
		return checkList(p, list)
	case typeObjects:
		if raw[0] != '[' {
			return "", valueError("A collection is expected.")
		}
		return raw, nil
	case typeObject:
		return raw, checkComplex(p, raw)
	}
	s, ok := unquote(raw)
	if !ok {
		return "", valueError("A string is expected.")
	}
	return quote(s), checkText(p, s)
}

func checkText(p property, s string) error {
	switch {
	case s == "":
		return valueError("The value cannot be empty; use null to clear it.")
	case p.max > 0 && utf8.RuneCountInString(s) > p.max:
		return valueError(fmt.Sprintf("The value is longer than %d characters.", p.max))
	}
	switch p.name {
	case "usageLocation":
		if !countryCode.MatchString(s) {
			return valueError("A two-letter country code is expected.")
		}
	case "userType":
		if !slices.Contains(userTypes, s) {
			return valueError("Member or Guest is expected.")
		}
	case "mail":
		if !mailAddress(s) {
			return valueError("The value is not a valid SMTP address.")
		}
	}
	if p.typ == typeDate {
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			return valueError("A date and time in ISO 8601 form is expected.")
		}
	}
	return nil
}

func checkList(p property, list []string) (string, error) {
	if p.max > 0 && len(list) > p.max {
		return "", valueError(fmt.Sprintf("The collection has more than %d elements.", p.max))
	}
	for _, s := range list {
		switch {
		case s == "":
			return "", valueError("An element cannot be empty.")
		case p.name == "businessPhones" && utf8.RuneCountInString(s) > 64:
			return "", valueError("An element is longer than 64 characters.")
		case p.name == "otherMails" && (!mailAddress(s) || len(s) > 250):
			return "", valueError("An element is not a valid SMTP address.")
		}
	}
	return quoteList(list), nil
}

var extensionAttribute = regexp.MustCompile(`^extensionAttribute([1-9]|1[0-5])$`)

func checkComplex(p property, raw string) error {
	return eachMember(raw, func(key, v string) error {
		s, isText := unquote(v)
		switch {
		case strings.HasPrefix(key, "@odata."):
		case p.name == "onPremisesExtensionAttributes" && !extensionAttribute.MatchString(key),
			p.name == "employeeOrgData" && key != "costCenter" && key != "division":
			return valueError(fmt.Sprintf("There is no member '%s'.", key))
		case p.name == "passwordProfile" || v == "null":
		case !isText:
			return valueError(fmt.Sprintf("The member '%s' must be a string.", key))
		case s == "":
			return valueError(fmt.Sprintf("The member '%s' cannot be empty; use null to clear it.", key))
		case utf8.RuneCountInString(s) > 1024:
			return valueError(fmt.Sprintf("The member '%s' is longer than 1024 characters.", key))
		}
		return nil
	})
}

// mergeObjects lays the members of a complex value over the stored ones.
func mergeObjects(old, patch string) string {
	base := Object{}
	if !isNull(old) {
		base, _ = parseObject(old) // stored text is an object
	}
	over, _ := parseObject(patch) // checked already
	for _, f := range over.fields {
		if !strings.HasPrefix(f.Name, "@odata.") {
			base = base.with(f.Name, f.Raw)
		}
	}
	slices.SortFunc(base.fields, func(a, b Field) int {
		if d := len(a.Name) - len(b.Name); d != 0 {
			return d // extensionAttribute2 before extensionAttribute10
		}
		return strings.Compare(a.Name, b.Name)
	})
	return base.text()
}

// mailAddress accepts what Exchange accepts as an SMTP address: no accents.
func mailAddress(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	if !found || local == "" || !strings.Contains(domain, ".") || strings.Contains(domain, "@") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),:;<>[\]`, r) })
}

// checkMaster refuses attributes that another service masters.
func (x *call) checkMaster(o *object, fields []Field) *answer {
	synced := o.raw("onPremisesSyncEnabled") == "true"
	exchange := o.raw("exchangeMastered") == "true"
	for _, f := range fields {
		if synced && f.Name != "usageLocation" || exchange && (f.Name == "mail" || f.Name == "showInAddressList") {
			a := x.externalMaster()
			return &a
		}
	}
	return nil
}

// checkUnique holds logon names and addresses to the tenant-wide rules.
func (x *call) checkUnique(o *object, fields []Field) *answer {
	for _, f := range fields {
		value, _ := unquote(f.Raw)
		switch f.Name {
		case "userPrincipalName":
			_, domain, _ := strings.Cut(value, "@")
			if (o == nil || !o.external()) && !slices.Contains(x.tenant.domains, strings.ToLower(domain)) {
				a := x.fail(http.StatusBadRequest, "Request_BadRequest", "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.",
					detail{"InvalidValue", "The domain is not verified.", "userPrincipalName"})
				return &a
			}
			if other := x.tenant.userByName(value); other != nil && other != o {
				a := x.conflict("userPrincipalName", other)
				return &a
			}
		case "mail":
			if o != nil && strings.EqualFold(o.text("mail"), value) || value == "" {
				continue
			}
			if other := x.tenant.proxyOwner(value, o); other != nil {
				a := x.conflict("proxyAddresses", other)
				return &a
			}
		}
	}
	return nil
}

// proxyOwner finds the active object other than self that owns an address.
func (t *Tenant) proxyOwner(address string, self *object) *object {
	for _, o := range t.holders(address) {
		if o != self && o.state == stateActive && o.holdsProxy(address) {
			return o
		}
	}
	return nil
}

// derive adds what follows from a change: mail moves into the proxy addresses
// as the primary one.
func (t *Tenant) derive(o *object, fields []Field) []Field {
	for _, f := range fields {
		if f.Name != "mail" || sameJSON(o.raw("mail"), f.Raw) {
			continue
		}
		mail, _ := unquote(f.Raw)
		return append(fields, Field{"proxyAddresses", quoteList(withPrimary(o.list("proxyAddresses"), mail))})
	}
	return fields
}

// withPrimary makes an address the primary proxy and demotes the old one; ""
// takes the primary one away.
func withPrimary(proxies []string, mail string) []string {
	var out []string
	if mail != "" {
		out = append(out, "SMTP:"+mail)
	}
	for _, p := range proxies {
		switch a := proxyAddress(p); {
		case a != "" && strings.EqualFold(a, mail):
		case strings.HasPrefix(p, "SMTP:"):
			if mail != "" {
				out = append(out, "smtp:"+a)
			}
		default:
			out = append(out, p)
		}
	}
	return out
}

// createUser answers POST /users: an internal account.
func (x *call) createUser() answer {
	body, refused := x.readObject()
	if refused != nil {
		return *refused
	}
	for _, name := range []string{"accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile"} {
		if isNull(body.Raw(name)) {
			return x.badRequest("A value is required for property '%s' of resource 'User'.", name)
		}
	}
	t := x.tenant
	t.mu.Lock()
	defer t.mu.Unlock()
	fields, refused := x.checkFields(body, nil)
	if refused != nil {
		return *refused
	}
	if refused := x.checkUnique(nil, fields); refused != nil {
		return *refused
	}
	if a, full := x.quotaExceeded(); full {
		return a
	}
	o := t.addUser(x.cloud.newID(), fields, x.now)
	x.replicate(o)
	p, _ := x.compileSelect(userProperties, nil, false)
	a := answer{status: http.StatusCreated, body: x.writeEntity(p, o, "users")}
	a.header = map[string]string{"Location": x.root + "/" + x.version + "/users/" + o.id}
	return a
}

// addUser inserts an internal user with what the directory adds by itself.
func (t *Tenant) addUser(id string, fields []Field, now time.Time) *object {
	fields = slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return f.Name == "passwordProfile" || f.Name == "id" })
	o := Object{fields}
	upn := o.String("userPrincipalName")
	set := func(name, raw string) {
		if o.Raw(name) == "" {
			o = o.with(name, raw)
		}
	}
	set("createdDateTime", quote(timestamp(now)))
	set("userType", `"Member"`)
	set("accountEnabled", "true")
	set("identities", `[{"signInType":"userPrincipalName","issuer":`+quote(t.initial)+`,"issuerAssignedId":`+quote(upn)+`}]`)
	if mail := o.String("mail"); mail != "" {
		set("proxyAddresses", quoteList([]string{"SMTP:" + mail}))
	}
	return t.insert(kindUser, id, o.fields)
}

// quotaExceeded refuses creations beyond organization.directorySizeQuota, of
// which a soft-deleted user takes a quarter.
func (x *call) quotaExceeded() (answer, bool) {
	var total int
	if _, err := fmt.Sscan(member(x.tenant.organization.Raw("directorySizeQuota"), "total"), &total); err != nil || total <= 0 {
		return answer{}, false
	}
	t := x.tenant
	if used := t.users.live + t.groups.live + len(t.contacts) + len(t.deleted)/4; used < total {
		return answer{}, false
	}
	return x.fail(http.StatusForbidden, "Directory_QuotaExceeded", "The directory object quota limit for the Tenant has been exceeded. Please ask your administrator to increase the quota limit or delete objects to reduce the used quota."), true
}
