package entrasim

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// admin answers the administrators' door, which Graph does not have. It needs a
// token of the tenant it is about:
//
//	GET  /simulation/tenant  the tenant file of the present state
//	PUT  /simulation/tenant  Load of the tenant file in the body, answers Changes
//	GET  /simulation/counts  Counts; DELETE resets them
//	GET  /simulation/journal the latest writes
//	PUT  /simulation/faults  replaces the tenant's faults by those in the body
func (c *Cloud) admin(x *call, rest string) answer {
	if a, authenticated := c.authenticate(x); !authenticated {
		return a
	}
	t := x.tenant
	switch x.method + " " + rest {
	case "GET tenant":
		var b bytes.Buffer
		_ = t.Dump().Write(&b) // a buffer takes everything
		return ok(b.Bytes())
	case "PUT tenant":
		f, err := ParseFile(bytes.NewReader(x.body))
		if err != nil {
			return x.badRequest("%v", err)
		}
		changes, err := t.Load(f)
		if err != nil {
			return x.badRequest("%v", err)
		}
		return jsonAnswer(changes)
	case "GET counts":
		return jsonAnswer(t.Counts())
	case "DELETE counts":
		t.ResetCounts()
		return noContent()
	case "GET journal":
		return jsonAnswer(t.Journal())
	case "PUT faults":
		faults, err := ParseFaults(bytes.NewReader(x.body))
		if err != nil {
			return x.badRequest("%v", err)
		}
		t.SetFaults(faults)
		return noContent()
	}
	return x.fail(http.StatusNotFound, "BadRequest", "There is no such simulation resource.")
}

func jsonAnswer(v any) answer {
	b, _ := json.Marshal(v) // plain data: cannot fail
	return ok(b)
}
