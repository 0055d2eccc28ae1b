package directory

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Fault is a fault of the program itself that one object brought to light: a
// panic that was contained, so that it costs that object and nothing else.
type Fault struct {
	// Cause is what the Go runtime says, "" for a panic with a value of the
	// program's own, which could hold what nobody may see.
	Cause string
	// Stack is where it happened, for the program's log.
	Stack []byte
}

// Error says that the program is at fault, with the runtime's reason if any.
func (f *Fault) Error() string {
	if f.Cause == "" {
		return "internal fault of the program"
	}
	return "internal fault of the program: " + f.Cause
}

// Contain is deferred by a function that computes something about one object: a
// panic becomes a [*Fault] in *err.
func Contain(err *error) {
	if p := recover(); p != nil {
		*err = NewFault(p)
	}
}

// NewFault makes a fault of what recover returned. It is called by the deferred
// function itself, so that the stack is that of the panic.
func NewFault(recovered any) *Fault {
	f := &Fault{Stack: debug.Stack()}
	if e, ok := recovered.(runtime.Error); ok {
		f.Cause = fmt.Sprint(e)
	}
	return f
}
