package directory

// HolderType is the type of an object that can hold an address of a tenant.
type HolderType string

// The objects of a tenant that hold addresses. An address belongs to one user,
// group or contact at a time; what a user in the recycle bin held comes back with
// the restore.
const (
	HolderUser        HolderType = "user"
	HolderDeletedUser HolderType = "deletedUser"
	HolderGroup       HolderType = "group"
	HolderContact     HolderType = "contact"
)
