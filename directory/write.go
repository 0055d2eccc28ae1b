package directory

// WriteKind is a kind of change to a target tenant.
type WriteKind uint8

// The kinds of change.
const (
	// Invite creates an external user: POST /invitations.
	Invite WriteKind = iota
	// Update sets attributes: PATCH /users/{id}.
	Update
	// SetManager sets the manager: PUT /users/{id}/manager/$ref.
	SetManager
	// ClearManager removes the manager: DELETE /users/{id}/manager/$ref.
	ClearManager
	// Restore takes a user out of the recycle bin: POST /directory/deletedItems/{id}/restore.
	Restore
	// Delete moves a user into the recycle bin: DELETE /users/{id}.
	Delete
)

// String returns the kind as error texts use it.
func (k WriteKind) String() string {
	return [...]string{"invite user", "update user", "set manager", "clear manager", "restore user", "delete user"}[k%6]
}

// Write is one change to a target tenant. Which fields count depends on Kind.
type Write struct {
	Kind WriteKind
	ID   string // the target user; not for Invite

	Address     string // Invite: the address to invite
	DisplayName string // Invite: optional
	RedirectURL string // Invite
	SendMessage bool   // Invite: let the service send its mail

	Attributes Attributes // Update: null clears a value, [] a list
	ManagerID  string     // SetManager: target id of the manager
}

// Written is the outcome of one Write.
type Written struct {
	// ID is the user concerned; for Invite the id the service answered with.
	ID string
	// Err is nil when the change is done. Kind Ambiguous: it may have happened.
	// Clearing a manager that is not there, and deleting a user that is gone, are done.
	Err error
}
