package config

// Key is one key of the configuration, as users, the reference, the sample
// file and the console's form see it.
type Key struct {
	Name    string   `json:"name"`              // "network.subnet"; "gateway.site[].host" in a repeated table
	Type    string   `json:"type"`              // "string", "boolean", "integer", "duration", "size", "address", "network", "path", "list", "table", "choice"
	Default string   `json:"default"`           // as it would stand in the file; "" where there is none
	Doc     string   `json:"doc"`               // one sentence
	Allowed []string `json:"allowed,omitempty"` // the values of a choice
	Want    string   `json:"want"`              // what is right, in words: "1 to 100"
}

// Setting is a key with the value that a configuration has for it.
type Setting struct {
	Key
	Value string // as it would stand in the file
	Set   bool   // the file sets it; otherwise it is the default
}
