package entrasim

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// answer is what a handler gives back: one HTTP response, or one item of a batch.
type answer struct {
	status int
	header map[string]string
	body   []byte
	code   string // Graph's error code, "" on success
}

// detail is one entry of an error's details.
type detail struct{ code, message, target string }

// fail builds an error answer in Graph's shape.
func (c *call) fail(status int, code, message string, details ...detail) answer {
	b := append([]byte(nil), `{"error":{"code":`...)
	b = appendQuoted(b, code)
	b = append(b, `,"message":`...)
	b = appendQuoted(b, message)
	if len(details) > 0 {
		b = append(b, `,"details":[`...)
		for i, d := range details {
			if i > 0 {
				b = append(b, ',')
			}
			b = fmt.Appendf(b, `{"code":%s,"message":%s,"target":%s}`, quote(d.code), quote(d.message), quote(d.target))
		}
		b = append(b, ']')
	}
	b = fmt.Appendf(b, `,"innerError":{"date":%q,"request-id":%s,"client-request-id":%s}}}`,
		c.now.UTC().Format("2006-01-02T15:04:05"), quote(c.requestID), quote(c.clientRequestID))
	return answer{status: status, body: b, code: code}
}

func (c *call) badRequest(format string, args ...any) answer {
	return c.fail(http.StatusBadRequest, "Request_BadRequest", fmt.Sprintf(format, args...))
}

// parseError is Graph's answer to a query it cannot read.
func (c *call) parseError(format string, args ...any) answer {
	return c.fail(http.StatusBadRequest, "BadRequest", fmt.Sprintf(format, args...))
}

func (c *call) notFound(id string) answer {
	return c.fail(http.StatusNotFound, "Request_ResourceNotFound",
		fmt.Sprintf("Resource '%s' does not exist or one of its queried reference-property objects are not present.", id))
}

func (c *call) denied() answer {
	return c.fail(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}

// restricted is the refusal of a write to a member of a restricted management
// administrative unit:
// https://learn.microsoft.com/entra/identity/role-based-access-control/admin-units-restricted-management
func (c *call) restricted() answer {
	return c.fail(http.StatusForbidden, "Authorization_RequestDenied",
		"Insufficient privileges to complete the operation. Target object is a member of a restricted management administrative unit and can only be modified by administrators scoped to that administrative unit.")
}

// external is Graph's wording when another service masters an attribute.
func (c *call) externalMaster() answer {
	return c.badRequest("Unable to update the specified properties for objects that have originated within an external service.")
}

func (c *call) conflict(property string, other *object) answer {
	return c.fail(http.StatusBadRequest, "Request_BadRequest",
		fmt.Sprintf("Another object with the same value for property %s already exists.", property),
		detail{"ObjectConflict", fmt.Sprintf("Another object with the same value for property %s already exists.", property), property},
		detail{"ConflictingObjects", fmt.Sprintf("The conflicting object is %s.", other.id), other.id})
}

// ok answers 200 with a JSON body.
func ok(body []byte) answer { return answer{status: http.StatusOK, body: body} }

// noContent answers 204.
func noContent() answer { return answer{status: http.StatusNoContent} }

// seconds writes a duration as Retry-After, rounded up, at least one.
func seconds(d time.Duration) string {
	n := int64((d + time.Second - 1) / time.Second)
	return strconv.FormatInt(max(n, 1), 10)
}
