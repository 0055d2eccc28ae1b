package control

import "fmt"

// Role is what a caller may do. Each role may do what the one before it may.
type Role int

// The roles. The zero value may do nothing.
const (
	// Reader looks: status, plans, logs.
	Reader Role = iota + 1
	// Operator runs jobs as they are configured.
	Operator
	// Approver decides what the guards hold, and what discards state.
	Approver
)

// roleNames are the roles as configuration and messages write them.
var roleNames = [...]string{Reader: "reader", Operator: "operator", Approver: "approver"}

// ParseRole reads reader, operator or approver.
func ParseRole(text string) (Role, error) {
	for r := Reader; r <= Approver; r++ {
		if roleNames[r] == text {
			return r, nil
		}
	}
	return 0, fmt.Errorf("role %q unknown: want reader, operator or approver", text)
}

// String returns the role's name.
func (r Role) String() string {
	if r < Reader || r > Approver {
		return "none"
	}
	return roleNames[r]
}

// Route is something that a daemon can be asked for: POST /v1/Name.
type Route struct {
	Name string
	// When is the field of the request that makes this row count, "" for the row of
	// all other requests.
	When string
	// Needs is the least role that may ask.
	Needs Role
	// Does says what it is, for documentation.
	Does string
}

// Routes returns every route with the role it needs, in the order in which the
// documentation lists them.
func Routes() []Route { return append([]Route(nil), routes[:]...) }

// routes is the one place that says who may ask for what. A route that is missing
// here needs an approver.
var routes = [...]Route{
	{"health", "", Reader, "Says that a daemon is there (GET)"},
	{"status", "", Reader, "State of one job or all"},
	{"plan", "", Reader, "What a cycle would do"},
	{"explain", "", Reader, "Why a user is, or is not, in the target"},
	{"scopetest", "", Reader, "Each part of a user's scoping verdict"},
	{"approles", "", Reader, "App roles of a user"},
	{"held", "", Reader, "Deletions that wait, or are retained"},
	{"retries", "", Reader, "Objects that wait after a failure"},
	{"logs", "", Reader, "The provisioning log"},
	{"state", "", Reader, "Verifies the state file and says what is inside"},
	{"audit", "", Reader, "The record of administrative acts"},
	{"cancel", "", Reader, "Ends a request by the random id that its client gave it"},
	{"provision", "dryRun", Reader, "What provisioning one user would do"},
	{"provision", "", Operator, "Provisions one user"},
	{"sync", "", Operator, "Runs one cycle"},
	{"start", "", Operator, "Lets the schedule run a job"},
	{"pause", "", Operator, "Keeps the schedule from running a job"},
	{"retrynow", "", Operator, "Makes objects due that wait after a failure"},
	{"provision", "restore", Approver, "Restores a user deleted by hand in the target"},
	{"sync", "accept", Approver, "Runs one cycle and lets through the creates and updates that are held, or carries out a saved plan"},
	{"restart", "", Approver, "Forgets watermarks, retries and quarantine"},
	{"allow", "", Approver, "Carries out held deletions"},
	{"reject", "", Approver, "Keeps users whose deletion waits"},
	{"backup", "", Approver, "A verified copy of the state file"},
}

// needs returns the least role for a request.
func needs(name, when string) Role {
	for i := range routes {
		if routes[i].Name == name && routes[i].When == when {
			return routes[i].Needs
		}
	}
	return Approver
}
