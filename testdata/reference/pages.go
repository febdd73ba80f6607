package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"flatnet/core/config"
	"flatnet/core/health"
	"flatnet/plugin"
	"flatnet/tui/command"
)

// generated heads every page in Markdown.
const generated = "<!-- Made from the code by make reference; do not edit. -->\n\n"

// pages gives every generated page, by its name below docs.
func pages() (map[string][]byte, error) {
	return map[string][]byte{
		"reference/configuration.md": configuration(),
		"reference/findings.md":      findings(),
		"reference/commands.md":      commands(root()),
		"reference/plugin-errors.md": pluginErrors(),
	}, nil
}

// root is the command tree with all that cobra adds when it runs.
func root() *cobra.Command {
	r := (&command.App{}).Root()
	r.InitDefaultHelpCmd()
	r.InitDefaultCompletionCmd()
	r.DisableAutoGenTag = true
	return r
}

// cell makes text fit into a cell of a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "|", `\|`), "\n", " ")
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func configuration() []byte {
	var b bytes.Buffer
	b.WriteString(generated + `# Configuration

One TOML file: ` + "`/etc/flatnet/flatnet.toml`, or `--config FILE`, or `FLATNET_CONFIG`" + `.
Every key has a default, and no file at all is valid. Check it with
` + "`flatnet-tui config check`; `flatnet-tui config show` prints what holds, and\n`flatnet-tui config show --sample` a file with every key explained.\n")
	for _, s := range config.Sections() {
		name := "[" + s.Name + "]"
		if s.Repeated {
			name = "[[" + s.Name + "]]"
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| key | default | meaning | right |\n|---|---|---|---|\n", name, s.Doc)
		for _, k := range s.Keys {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Name[strings.LastIndexByte(k.Name, '.')+1:], code(k.Default), cell(k.Doc.String()), cell(k.Want.String()))
		}
	}
	return b.Bytes()
}

func findings() []byte {
	var b bytes.Buffer
	b.WriteString(generated + `# Findings

What the console, ` + "`sudo flatnet-tui doctor` and `status`" + ` can find wrong. Codes stay the same.
[Troubleshooting](../operations/troubleshooting.md) goes from the symptom to these. Mending a cause may mend what it hides.
`)
	byGroup := map[health.Group][]health.Check{}
	var groups []health.Group // in the order in which they come first
	for _, c := range health.Checks() {
		if byGroup[c.Group] == nil {
			groups = append(groups, c.Group)
		}
		byGroup[c.Group] = append(byGroup[c.Group], c)
	}
	for _, group := range groups {
		fmt.Fprintf(&b, "\n## %s\n", group)
		for _, c := range byGroup[group] {
			finding(&b, c)
		}
	}
	return b.Bytes()
}

// finding is one section: what the code says, what mends it, what hides it.
func finding(b *bytes.Buffer, c health.Check) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n\nMend: %s\n", c.Code, c.Meaning, c.Remedy)
	if len(c.After) == 0 {
		return
	}
	causes := make([]string, len(c.After))
	for i, code := range c.After {
		causes[i] = fmt.Sprintf("[%s](#%s)", code, code)
	}
	fmt.Fprintf(b, "\nNot said while one of these is there: %s.\n", strings.Join(causes, ", "))
}

// commands is the reference of all subcommands on one page.
func commands(r *cobra.Command) []byte {
	var b bytes.Buffer
	b.WriteString(generated + `# Commands

Exit status: 0 good, 1 it ran and something is failing or failed, 2 wrong usage or configuration, 3 refused because it
would do harm. What changes something takes ` + "`--dry-run`, `--yes` and `--json`" + `.
`)
	each(r, func(c *cobra.Command) {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n", c.CommandPath(), strings.TrimSuffix(c.Short, "."))
		if c.Long != "" && c.Long != c.Short && c.Name() != "completion" {
			fmt.Fprintf(&b, "\n%s\n", c.Long)
		}
		if c.Runnable() {
			fmt.Fprintf(&b, "\n    %s\n", c.UseLine())
		}
		if c.Example != "" {
			fmt.Fprintf(&b, "\nFor example:\n\n%s\n", indent(c.Example))
		}
		if flags := c.NonInheritedFlags().FlagUsages(); flags != "" {
			fmt.Fprintf(&b, "\n%s", indent(flags))
		}
	})
	return b.Bytes()
}

func indent(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight("    "+strings.TrimPrefix(l, "  "), " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// each visits the commands that a person uses.
func each(c *cobra.Command, visit func(*cobra.Command)) {
	if c.Hidden || c.Parent() != nil && c.Parent().Name() == "completion" {
		return
	}
	visit(c)
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() || sub.Name() == "help" {
			each(sub, visit)
		}
	}
}

// pluginErrors is the table of the plugin's codes.
func pluginErrors() []byte {
	var b bytes.Buffer
	b.WriteString(generated + `# Errors of the plugin

A failed call prints one JSON document on stdout: ` + "`code`, `msg` (what failed, on what) and `details` (what to do)" + `. Podman shows
msg and details. Codes below 100 are the CNI specification's, the others Flatnet's own; they stay the same.

| code | meaning |
|---|---|
`)
	for _, c := range pluginCodes() {
		fmt.Fprintf(&b, "| %d | %s |\n", c.Code, cell(c.Meaning))
	}
	return b.Bytes()
}

// pluginCodes are the plugin's codes by number.
func pluginCodes() []plugin.Code {
	codes := plugin.Codes()
	slices.SortFunc(codes, func(a, b plugin.Code) int { return cmp.Compare(a.Code, b.Code) })
	return codes
}
