// Package pwsh reads PowerShell scripts with tree-sitter's grammar: is the
// syntax right, and which commands stand in them. It runs nothing, and a
// script that passes has not been shown to work. It is a module of its own
// because the grammar is C.
package pwsh

import (
	"bytes"
	"fmt"
	"strings"

	powershell "github.com/airbus-cert/tree-sitter-powershell/bindings/go"
	sitter "github.com/tree-sitter/go-tree-sitter"
)

// Script is one parsed script.
type Script struct {
	// Faults are places that are no PowerShell: "12: unexpected …".
	Faults   []string
	Commands []Command // in their order
}

// Command is one command line of a script.
type Command struct {
	Text string // with single spaces: "& $Route ADD $Subnet"
	// Asked tells that ShouldProcess stands before it in its function, or in
	// its if: with -WhatIf it is not reached.
	Asked bool
}

// Parse reads a script. The error says that the grammar cannot be used at all.
func Parse(text []byte) (Script, error) {
	parser := sitter.NewParser()
	defer parser.Close()
	if err := parser.SetLanguage(sitter.NewLanguage(powershell.Language())); err != nil {
		return Script{}, fmt.Errorf("load the grammar: %w", err)
	}
	tree := parser.Parse(text, nil)
	defer tree.Close()
	var s Script
	s.walk(tree.RootNode(), text)
	return s, nil
}

func (s *Script) walk(n *sitter.Node, text []byte) {
	switch {
	case n.IsMissing():
		s.Faults = append(s.Faults, fmt.Sprintf("%d: %s is missing", line(n), n.Kind()))
	case n.IsError():
		s.Faults = append(s.Faults, fmt.Sprintf("%d: unexpected %q", line(n), n.Utf8Text(text)))
	case n.Kind() == "command":
		s.Commands = append(s.Commands, Command{strings.Join(strings.Fields(n.Utf8Text(text)), " "), asked(n, text)})
	}
	for i := range n.ChildCount() {
		s.walk(n.Child(i), text)
	}
}

// asked looks for ShouldProcess before n, within its function or its
// outermost if.
func asked(n *sitter.Node, text []byte) bool {
	for up := n.Parent(); up != nil; up = up.Parent() {
		kind := up.Kind()
		if (kind == "function_statement" || kind == "if_statement") && bytes.Contains(text[up.StartByte():n.StartByte()], []byte("ShouldProcess")) {
			return true
		}
	}
	return false
}

func line(n *sitter.Node) uint { return n.StartPosition().Row + 1 }
