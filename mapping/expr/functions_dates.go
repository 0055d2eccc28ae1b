package expr

// dateFunctions are the functions on dates.
var dateFunctions = []function{
	{
		Function: Function{Name: "CDate", Summary: "Reads a date and time, which is in UTC unless the text names a zone.",
			Parameters: []Parameter{{Name: "expression", Type: Date, Required: true}}, Result: Date,
			Example: Example{`CDate([extensionAttribute1])`, map[string]any{"extensionAttribute1": "2021-06-30+08:00"}, "6/29/2021 4:00:00 PM"},
			Notes: []string{
				dateForms,
				"A date becomes text as M/d/yyyy h:mm:ss tt in UTC, and an instant where it flows to an attribute that holds dates.",
				"Null gives null; text that is no date, empty text included, is an error.",
				"Two dates are compared as instants.",
			}},
		eval: cdate,
	},
	{
		Function: Function{Name: "DateAdd", Summary: "Returns the date a number of intervals later, or earlier if the number is negative.",
			Parameters: []Parameter{{Name: "interval", Type: Text, Required: true}, {Name: "value", Type: Number, Required: true},
				{Name: "date", Type: Date, Required: true}}, Result: Date,
			Example: Example{`DateAdd("m", 1, CDate([employeeHireDate]))`, map[string]any{"employeeHireDate": "2026-01-31"}, "2/28/2026 12:00:00 AM"},
			Notes: []string{
				intervals,
				"A month that has no such day gives its last one: a month after 31 January is 28 or 29 February.",
				"A date without CDate around it is read as CDate reads it. Null gives null.",
				yearsBound,
			}},
		eval: dateAdd, prepare: prepareInterval,
	},
	{
		Function: Function{Name: "DateDiff", Summary: "Returns how many intervals date2 lies after date1; negative if it lies before.",
			Parameters: []Parameter{{Name: "interval", Type: Text, Required: true}, {Name: "date1", Type: Date, Required: true},
				{Name: "date2", Type: Date, Required: true}}, Result: Number,
			Example: Example{`DateDiff("d", CDate([employeeHireDate]), CDate("2026-03-15"))`, map[string]any{"employeeHireDate": "2026-03-01"}, "14"},
			Notes: []string{
				intervals,
				"yyyy, m and ww count the years, months and weeks of the calendar that begin in between, weeks on Sunday; the others count elapsed time and drop what is left of it.",
				"A date that has passed lies before Now(): DateDiff(\"d\", Now(), [employeeHireDate]) is negative then. Some of Microsoft's samples have it the other way round.",
				"A date without CDate around it is read as CDate reads it. Null on either side gives null, and a comparison with null is false.",
			}},
		eval: dateDiff, prepare: prepareInterval,
	},
	{
		Function: Function{Name: "DateFromNum", Summary: "Turns a file time, as Active Directory writes dates, into a date.",
			Parameters: []Parameter{{Name: "value", Type: Number, Required: true}}, Result: Date,
			Example: Example{`DateFromNum([extensionAttribute1])`, map[string]any{"extensionAttribute1": "129699324000000000"}, "1/1/2012 11:00:00 PM"},
			Notes: []string{
				fileTimes,
				"9223372036854775807, with which Active Directory says never, is no date: test for it before.",
				"Null gives null.",
			}},
		eval: dateFromNum,
	},
	{
		Function: Function{Name: "FormatDateTime", Summary: "Reads a date in one format and writes it in another.",
			Parameters: []Parameter{{Name: "source", Type: Date, Required: true}, {Name: "dateTimeStyles", Type: Text, Blank: true},
				{Name: "inputFormat", Type: Text, Required: true, Blank: true}, {Name: "outputFormat", Type: Text, Required: true}}, Result: Text,
			Example: Example{`FormatDateTime([extensionAttribute1], , "yyyyMMddHHmmss.fZ", "yyyy-MM-dd")`,
				map[string]any{"extensionAttribute1": "20150123105347.1Z"}, "2015-01-23"},
			Notes: []string{
				"With three arguments they are source, inputFormat and outputFormat.",
				"Formats are .NET's, custom (yyyy-MM-dd) and standard (a single letter such as d), with English names; a custom format of one letter is written %d.",
				"inputFormat can stay empty where the source is a date already: the outcome of another date function, or an attribute that holds an instant.",
				"With an inputFormat a date is read from its text form, M/d/yyyy h:mm:ss tt; an attribute that holds an instant can be read from that form or as it stands.",
				"dateTimeStyles are names of .NET's DateTimeStyles with commas between them; empty means RoundtripKind, AllowLeadingWhite, AllowTrailingWhite.",
				"A zone in the source is converted to UTC; a source without one is in UTC, with AssumeLocal too.",
				"A year of two digits lies between 1950 and 2049. A year that the source leaves out is the present one.",
				"Null gives null; a source that does not fit inputFormat is an error.",
			}},
		eval: formatDateTime, prepare: prepareFormatDateTime, fewest: 3,
	},
	{
		Function: Function{Name: "Now", Summary: "Returns the present date and time in UTC; all calls in one expression give the same.", Result: Date,
			Example: Example{`IIF(DateDiff("d", Now(), CDate([employeeHireDate])) > 0, "not yet here", "here")`,
				map[string]any{"employeeHireDate": "2020-08-01"}, "here"},
			Notes: []string{"A user is evaluated when something about it changes, and in every initial cycle: a date that passes is no change."}},
		eval: now,
	},
	{
		Function: Function{Name: "NumFromDate", Summary: "Turns a date into a file time, as Active Directory writes dates.",
			Parameters: []Parameter{{Name: "value", Type: Date, Required: true}}, Result: Number,
			Example: Example{`NumFromDate(CDate([employeeHireDate]))`, map[string]any{"employeeHireDate": "2012-01-01T18:00:00-05:00"}, "129699324000000000"},
			Notes: []string{
				fileTimes,
				dateForms,
				"Null gives null; a date before 1601 is an error.",
				"The numbers that two of Microsoft's guides print for this function are wrong; 2025-12-31T23:59:59-05:00 is 134117171990000000.",
			}},
		eval: numFromDate,
	},
}

const (
	dateForms  = "Dates are read as 2026-03-01 or 3/1/2026 (month first), with a time such as 08:00:00, T08:00:00.5 or 8:00:00 AM and a zone such as Z or +01:00 where they are given."
	intervals  = "Intervals are yyyy (year), m (month), ww (week), d (day), h (hour), n (minute) and s (second)."
	yearsBound = "A date beyond the years 1 to 9999 is an error."
	fileTimes  = "A file time counts units of 100 ns since the beginning of 1601 in UTC."
)
