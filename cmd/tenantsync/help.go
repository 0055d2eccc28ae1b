package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// printHelp writes a command's help to standard output. It is plain code because
// templates would link text/template, which keeps every method of the binary.
func printHelp(cmd *cobra.Command, _ []string) {
	w := cmd.OutOrStdout()
	about := cmd.Long
	if about == "" {
		about = cmd.Short + "."
	}
	fmt.Fprintf(w, "%s\n\n", strings.TrimSpace(about))
	// A help that cannot be written has no one to be told.
	_ = writeUsage(w, cmd)
	writeExitCodes(w, cmd)
}

// writeUsage writes everything but the description and the exit codes.
func writeUsage(w io.Writer, cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString("Usage:\n")
	if cmd.HasSubCommands() {
		fmt.Fprintf(&b, "  %s COMMAND [flags]\n", cmd.CommandPath())
	}
	if cmd.Runnable() && cmd.Annotations[exits] != "" {
		fmt.Fprintf(&b, "  %s\n", useLine(cmd))
	}
	if cmd.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	writeCommands(&b, cmd)
	if flags := cmd.LocalNonPersistentFlags(); flags.HasAvailableFlags() {
		b.WriteString("\nFlags:\n")
		writeFlags(&b, flags)
	}
	if flags := cmd.Root().PersistentFlags(); flags.HasAvailableFlags() {
		b.WriteString("\nGlobal flags (or TENANTSYNC_NAME in the environment):\n")
		writeFlags(&b, flags)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// useLine is the command's Use with the names above it.
func useLine(cmd *cobra.Command) string {
	line := cmd.Use
	if cmd.HasParent() {
		line = cmd.Parent().CommandPath() + " " + line
	}
	return line + " [flags]"
}

// writeCommands lists the subcommands, under the headings of their groups.
func writeCommands(b *strings.Builder, cmd *cobra.Command) {
	width := 0
	var shown []*cobra.Command
	for _, sub := range cmd.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			shown = append(shown, sub)
			width = max(width, len(sub.Name()))
		}
	}
	list := func(title string, member func(*cobra.Command) bool) {
		first := true
		for _, sub := range shown {
			if !member(sub) {
				continue
			}
			if first {
				fmt.Fprintf(b, "\n%s:\n", title)
				first = false
			}
			fmt.Fprintf(b, "  %-*s   %s\n", width, sub.Name(), sub.Short)
		}
	}
	for _, group := range cmd.Groups() {
		list(group.Title, func(c *cobra.Command) bool { return c.GroupID == group.ID })
	}
	list("Commands", func(c *cobra.Command) bool { return c.GroupID == "" })
}

// writeFlags lists flags in two columns.
func writeFlags(b *strings.Builder, flags *pflag.FlagSet) {
	type row struct{ name, usage string }
	var rows []row
	width := 0
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "    --" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", --" + f.Name
		}
		if value != "" {
			name += " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0" && f.DefValue != "0s" {
			usage += " (default " + f.DefValue + ")"
		}
		rows = append(rows, row{name, usage})
		if len(name) <= flagWidth {
			width = max(width, len(name))
		}
	})
	for _, r := range rows {
		if len(r.name) > flagWidth {
			fmt.Fprintf(b, "  %s\n  %-*s   %s\n", r.name, width, "", r.usage)
			continue
		}
		fmt.Fprintf(b, "  %-*s   %s\n", width, r.name, r.usage)
	}
}

// flagWidth is the longest flag that has its text beside it.
const flagWidth = 36

// writeExitCodes ends the help with the codes the command can end with.
func writeExitCodes(w io.Writer, cmd *cobra.Command) {
	meanings := exitMeanings()
	var codes []int
	for _, word := range strings.Fields(cmd.Annotations[exits]) {
		if code, err := strconv.Atoi(word); err == nil {
			codes = append(codes, code)
		}
	}
	if len(codes) == 0 {
		for code := range meanings {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	fmt.Fprint(w, "\nExit codes:\n")
	for _, code := range codes {
		fmt.Fprintf(w, "  %3d   %s\n", code, meanings[code])
	}
}
