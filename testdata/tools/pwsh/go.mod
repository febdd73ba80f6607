module flatnet/testdata/tools/pwsh

go 1.26.0

require (
	github.com/airbus-cert/tree-sitter-powershell v0.26.5
	github.com/mattn/go-pointer v0.0.1 // indirect
	github.com/tree-sitter/go-tree-sitter v0.25.0
)
