package engine

// linkState is what is known of the pairing of a source user.
type linkState uint8

const (
	linkNone     linkState = iota // never linked, nothing matches
	linkMatched                   // never linked, a target user matches
	linkActive                    // linked
	linkHeld                      // linked, a delete waits for approval
	linkRetained                  // linked, a delete was rejected
	linkDeleted                   // this engine deleted the target user
	linkMissing                   // somebody deleted it in the target
)

// targetState is what is known of the target user.
type targetState uint8

const (
	targetPresent  targetState = iota // external, as far as is known
	targetBin                         // soft-deleted
	targetGone                        // purged
	targetInternal                    // no longer an external user of the source
)

// action is what is to be done about one user.
type action uint8

const (
	actNone action = iota
	actSkip
	actFail
	actCreate
	actAdopt
	actUpdate // writes only if something differs
	actRestore
	actRelease // no longer held: update as usual
	actDelete
	actDisable // leaving scope with deprovision: disable
	actUnlink  // the target user is gone for good: forget the link
)

// policy is what the configuration allows.
type policy struct {
	actions     Actions
	deprovision Deprovision
	// deleteDue: disabled by leaving scope, and deleteAfter has passed.
	deleteDue bool
	// newEvent: something happened to a retained user since its delete was rejected.
	newEvent bool
	// undelete: an administrator asked for the restore (provision --restore).
	undelete bool
}

// decision is the outcome of the table, with its reason.
type decision struct {
	action action
	code   Code
}

// decide is the decision table of the engine. The same rows, in the same order,
// are the test and a page of the documentation. Linked is active, held or retained; others
// are held, retained, deleted or missing. A matched user was just found, so it is in no bin.
//
//	 #  source             link      target    policy              action
//	 1  active             none      –         create              create
//	 2  active             none      –         no create           skip    ActionNotAllowed
//	 3  disabled           none      –                             skip    NotEffectivelyEntitled
//	 4  out of scope, gone none      –                             none
//	 5  active, disabled   matched   present                       adopt, update what differs
//	 6  active, disabled   matched   internal                      fail    (by matching)
//	 7  out of scope, gone matched   any                           none
//	 8  active, disabled   active    present                       update what differs
//	 9  active, disabled   active    internal                      fail    InvalidAnchor
//	10  active, disabled   linked    bin                           skip    DeletedInTarget
//	11  active, disabled   linked    bin       restore asked for   restore
//	12  active             linked    gone                          create anew, as 1 and 2
//	13  disabled           linked    gone                          forget the link
//	14  active, disabled   held      present                       release, update what differs
//	15  active, disabled   retained  present                       update what differs
//	16  active             deleted   bin                           restore, update what differs
//	17  active             deleted   gone                          create anew, as 1 and 2
//	18  disabled           deleted   bin, gone                     none
//	19  active, disabled   deleted   present                       update what differs (restored by hand)
//	20  active, disabled   missing   bin                           skip    DeletedInTarget
//	21  active, disabled   missing   bin       restore asked for   restore
//	22  active             missing   gone                          create anew, as 1 and 2
//	23  disabled           missing   gone                          none
//	24  active, disabled   missing   present                       update what differs (restored by hand)
//	25  active, disabled   others    internal                      fail    InvalidAnchor
//	26  out of scope, gone active    present   deprovision delete  delete, after the guard
//	27  out of scope, gone active    present   deprovision disable disable, after the guard
//	28  out of scope, gone active    present   disable, due        delete, after the guard
//	29  out of scope, gone active    present   none, or no delete  none
//	30  out of scope, gone active    internal                      fail    InvalidAnchor
//	31  out of scope, gone active    bin, gone                     forget the link
//	32  out of scope, gone held      any                           none (stays held)
//	33  out of scope, gone retained  any                           none, or as 26–31 after a new event
//	34  out of scope, gone deleted   any                           none
//	35  out of scope, gone missing   any                           none
func decide(s sourceState, l linkState, t targetState, p policy) decision {
	if s == sourceActive || s == sourceDisabled {
		return decideWanted(s, l, t, p)
	}
	return decideUnwanted(l, t, p)
}

func decideWanted(s sourceState, l linkState, t targetState, p policy) decision {
	switch l {
	case linkNone:
		if s == sourceDisabled {
			return decision{actSkip, CodeNotEffectivelyEntitled}
		}
		return create(p)
	case linkMatched:
		if t == targetInternal {
			return decision{actFail, CodeAmbiguousUser}
		}
		return decision{action: actAdopt}
	}
	switch t {
	case targetInternal:
		return decision{actFail, CodeInvalidAnchor}
	case targetBin:
		return decideBin(s, l, p)
	case targetGone:
		switch {
		case s == sourceActive:
			return create(p)
		case l == linkDeleted || l == linkMissing:
			return decision{action: actNone}
		}
		return decision{action: actUnlink}
	}
	if l == linkHeld {
		return decision{action: actRelease}
	}
	return decision{action: actUpdate}
}

// decideBin is about a target user in the recycle bin: what this engine deleted
// comes back with its source user, what somebody else deleted does not.
func decideBin(s sourceState, l linkState, p policy) decision {
	switch {
	case l == linkDeleted && s == sourceDisabled:
		return decision{action: actNone}
	case l == linkDeleted || p.undelete:
		return decision{action: actRestore}
	}
	return decision{actSkip, CodeDeletedInTarget}
}

func create(p policy) decision {
	if !p.actions.Create {
		return decision{actSkip, CodeActionNotAllowed}
	}
	return decision{action: actCreate}
}

func decideUnwanted(l linkState, t targetState, p policy) decision {
	switch l {
	case linkNone, linkMatched, linkHeld, linkDeleted, linkMissing:
		return decision{action: actNone}
	case linkRetained:
		if !p.newEvent {
			return decision{action: actNone}
		}
	}
	switch t {
	case targetInternal:
		return decision{actFail, CodeInvalidAnchor}
	case targetBin, targetGone:
		return decision{action: actUnlink}
	}
	switch {
	case p.deprovision == DeprovisionNone || !p.actions.Delete:
		return decision{action: actNone}
	case p.deprovision == DeprovisionDisable && !p.deleteDue:
		return decision{action: actDisable}
	}
	return decision{action: actDelete}
}
