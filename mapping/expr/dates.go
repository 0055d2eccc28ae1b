package expr

import (
	"errors"
	"fmt"
	"time"

	"tenantsync/mapping/datetime"
)

// The functions on dates. The package datetime has the rules; here arguments
// become instants, and null becomes null.

// date returns an argument as an instant: a date as it is, text as CDate reads
// it. False says that it is null.
func (c call) date(i int) (t time.Time, some bool, err error) {
	v, err := c.value(i)
	if err != nil || v.none() {
		return time.Time{}, false, err
	}
	if v.kind == date {
		return v.instant(), true, nil
	}
	s, some, many := v.scalar()
	switch {
	case many:
		return time.Time{}, false, c.fail(v.String(), manyValues(v))
	case !some:
		return time.Time{}, false, nil // a list without members
	}
	if t, err = datetime.Parse(s); err != nil {
		return time.Time{}, false, c.fail(s, err.Error())
	}
	return t, true, nil
}

// dated returns what a date function computed, or its failure on an instant.
func (c call) dated(t time.Time, err error, on string) (value, error) {
	if err != nil {
		return value{}, c.fail(on, err.Error())
	}
	return dateValue(t), nil
}

func cdate(c call) (value, error) {
	t, some, err := c.date(0)
	if err != nil || !some {
		return value{}, err
	}
	return dateValue(t), nil
}

func now(c call) (value, error) {
	t, err := datetime.Instant(c.c.env.Now)
	return c.dated(t, err, "")
}

func dateAdd(c call) (value, error) {
	interval, err := c.interval()
	if err != nil {
		return value{}, err
	}
	t, some, err := c.date(2)
	if err != nil || !some {
		return value{}, err
	}
	n, err := c.integer(1)
	if err != nil {
		return value{}, err
	}
	sum, err := datetime.Add(interval, n, t)
	return c.dated(sum, err, fmt.Sprintf("%s, %d %s", datetime.Text(t), n, interval))
}

func dateDiff(c call) (value, error) {
	interval, err := c.interval()
	if err != nil {
		return value{}, err
	}
	from, some, err := c.date(1)
	if err != nil || !some {
		return value{}, err
	}
	to, some, err := c.date(2)
	if err != nil || !some {
		return value{}, err
	}
	return intValue(datetime.Diff(interval, from, to)), nil
}

func dateFromNum(c call) (value, error) {
	v, err := c.value(0)
	if err != nil || v.none() {
		return value{}, err
	}
	n, ok := v.integer()
	if !ok {
		return value{}, c.fail(v.String(), "a file time is a whole number of 64 bits")
	}
	t, err := datetime.FromFileTime(n)
	return c.dated(t, err, v.String())
}

func numFromDate(c call) (value, error) {
	t, some, err := c.date(0)
	if err != nil || !some {
		return value{}, err
	}
	n, err := datetime.FileTime(t)
	if err != nil {
		return value{}, c.fail(datetime.Text(t), err.Error())
	}
	return intValue(n), nil
}

// prepareInterval reads a constant interval, the first argument.
func prepareInterval(n *node) *Error {
	arg := n.args[0]
	if arg.op != opConstant {
		return nil
	}
	interval, err := datetime.ParseInterval(arg.constant.String())
	if err != nil {
		return n.within(0, err)
	}
	n.prepared = interval
	return nil
}

func (c call) interval() (datetime.Interval, error) {
	if interval, ok := c.node.prepared.(datetime.Interval); ok {
		return interval, nil
	}
	s, _, err := c.text(0)
	if err != nil {
		return 0, err
	}
	interval, err := datetime.ParseInterval(s)
	if err != nil {
		return 0, c.fail(s, err.Error())
	}
	return interval, nil
}

// within places a mistake in a constant argument: at the very character where
// that is known and the constant stands in the expression as it is.
func (n *node) within(i int, err error) *Error {
	arg := n.args[i]
	e := &Error{Offset: arg.at, Length: arg.end - arg.at, Message: n.function.Name + ": " + err.Error()}
	var syntax *datetime.SyntaxError
	if s := arg.constant.text; errors.As(err, &syntax) && s != "" && arg.end-arg.at == len(s)+len(`""`) {
		e.Offset, e.Length = arg.at+1+syntax.Offset, 1
	}
	return e
}

// formatting is what a call of FormatDateTime knows before it sees a user: where
// its arguments stand, and those that are constant.
type formatting struct {
	stylesAt, inputAt, outputAt int // stylesAt is -1 with three arguments
	styles                      datetime.Styles
	input, output               *datetime.Format // nil: evaluated, or left out
}

// fixed reports whether an argument needs no evaluation, because it is constant
// or left out.
func (n *node) fixed(i int) bool {
	return i < 0 || n.args[i].op == opConstant || n.args[i].op == opOmitted
}

func prepareFormatDateTime(n *node) *Error {
	p := &formatting{stylesAt: 1, inputAt: 2, outputAt: 3, styles: datetime.DefaultStyles}
	if len(n.args) == 3 {
		p.stylesAt, p.inputAt, p.outputAt = -1, 1, 2
	}
	n.prepared = p
	output := n.args[p.outputAt]
	if output.op == opOmitted {
		return n.mistake("FormatDateTime: the outputFormat is missing")
	}
	var err error
	if output.op == opConstant {
		if p.output, err = datetime.Compile(output.constant.String()); err != nil {
			return n.within(p.outputAt, err)
		}
	}
	if p.stylesAt > 0 && n.args[p.stylesAt].op == opConstant {
		if p.styles, err = styles(n.args[p.stylesAt].constant.String()); err != nil {
			return n.within(p.stylesAt, err)
		}
	}
	input, source := n.args[p.inputAt], n.args[0]
	switch {
	case input.op == opOmitted && source.op == opConstant:
		return n.mistake("FormatDateTime: " + errNoInputFormat)
	case input.op == opConstant && input.constant.String() != "":
		if p.input, err = datetime.Compile(input.constant.String()); err != nil {
			return n.within(p.inputAt, err)
		}
	}
	return nil
}

const errNoInputFormat = "the inputFormat is missing: only where the source is a date it can be left out"

// styles reads names of styles; none mean the default.
func styles(names string) (datetime.Styles, error) {
	if names == "" {
		return datetime.DefaultStyles, nil
	}
	return datetime.ParseStyles(names)
}

func formatDateTime(c call) (value, error) {
	p := c.node.prepared.(*formatting)
	source, err := c.value(0)
	if err != nil || source.none() {
		return value{}, err
	}
	t, some, err := p.read(c, source)
	if err != nil || !some {
		return value{}, err
	}
	output, err := p.format(c, p.output, p.outputAt)
	switch {
	case err != nil:
		return value{}, err
	case output == nil:
		return value{}, c.fail("", "the outputFormat is empty")
	}
	return textValue(output.Format(t)), nil
}

// read turns the source into an instant: by the inputFormat where there is one,
// also if the source is a date, which then has its text form. An attribute that
// holds an instant may be read by its own spelling or by that text form.
func (p *formatting) read(c call, source value) (t time.Time, some bool, err error) {
	input, err := p.format(c, p.input, p.inputAt)
	if err != nil {
		return t, false, err
	}
	if input == nil && source.kind == date {
		return source.instant(), true, nil
	}
	s, some, many := source.scalar()
	switch {
	case many:
		return t, false, c.fail(source.String(), manyValues(source))
	case !some:
		return t, false, nil
	case input == nil:
		t, ok := storedInstant(s)
		if !ok {
			return t, false, c.fail(s, errNoInputFormat)
		}
		return t, true, nil
	}
	styles, err := p.stylesOf(c)
	if err != nil {
		return t, false, err
	}
	t, err = input.Parse(s, styles, c.c.env.Now)
	if stored, ok := storedInstant(s); err != nil && ok && c.node.args[0].op == opAttribute {
		if t, err := input.Parse(datetime.Text(stored), styles, c.c.env.Now); err == nil {
			return t, true, nil
		}
	}
	switch {
	case err != nil && p.input == nil:
		return t, false, c.fail(s, "the text does not fit the date format") // which is a value of the user too
	case err != nil:
		return t, false, c.fail(s, err.Error())
	}
	return t, true, nil
}

// storedInstant reads an instant as Graph writes those of a DateTime attribute.
// An expression that was written for Entra may count on the text form of a date
// there.
func storedInstant(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, false
	}
	t, err = datetime.Instant(t)
	return t, err == nil
}

// format returns the format in an argument, nil when it is left out, null or
// empty.
func (p *formatting) format(c call, prepared *datetime.Format, i int) (*datetime.Format, error) {
	if prepared != nil || c.node.fixed(i) {
		return prepared, nil
	}
	s, _, err := c.text(i)
	if err != nil || s == "" {
		return nil, err
	}
	f, err := datetime.Compile(s)
	if err != nil {
		return nil, c.fail(s, fmt.Sprintf("argument %d is no date format", i+1))
	}
	return f, nil
}

func (p *formatting) stylesOf(c call) (datetime.Styles, error) {
	if c.node.fixed(p.stylesAt) {
		return p.styles, nil
	}
	names, _, err := c.text(p.stylesAt)
	if err != nil {
		return datetime.None, err
	}
	read, err := styles(names)
	if err != nil {
		return datetime.None, c.fail(names, fmt.Sprintf("argument %d has something else than names of DateTimeStyles", p.stylesAt+1))
	}
	return read, nil
}
