package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// gatewayDir is the gateway's configuration directory, below what stands for
// F:\ in the lab.
var gatewayDir = filepath.Join(labDir, "f", "flatnet", "config")

// writeConfig writes the lab's configuration. nginx may be "".
func writeConfig(path, nginx string) error {
	if err := os.MkdirAll(gatewayDir, 0o755); err != nil {
		return err
	}
	program := "# nginx: this machine has none, so the gateway cannot be tried"
	if nginx != "" {
		program = fmt.Sprintf("nginx = %q", nginx)
	}
	return os.WriteFile(path, fmt.Appendf(nil, labConfig, labDir, program), 0o600)
}

// labConfig takes the lab's directory and the line for the nginx program.
const labConfig = `# The lab's configuration. Press e in the console to edit it.
[ipam]
state_dir = "%[1]s/ipam"

[podman]
socket = "%[1]s/podman.sock"   # a stand-in, answered from the lab's namespaces

[log]
file = "%[1]s/flatnet.log"

[windows]
enabled = true                          # stand-ins of Windows' programs
system_root = "%[1]s/windows"
root = "%[1]s/f/flatnet"
windows_path = 'F:\flatnet'

[gateway]
config_dir = "%[1]s/f/flatnet/config"
windows_path = "%[1]s/f/flatnet/config" # the lab's nginx runs on Linux
%[2]s
health_url = "http://127.0.0.1/health"

[[gateway.site]]
host = "forgejo.local"
container = "forgejo"
port = 3000

[probes]
interval = "5s"
timeout = "1s"
`

// nginxConf is the nginx.conf that a gateway of seed phase 1 has; the console
// adds its include. The lab has one user, so workers stay who they are.
const nginxConf = `daemon off;
user root;
worker_processes 1;
pid ` + labDir + `/nginx.pid;
error_log ` + labDir + `/f/flatnet/config/error.log warn;

events { worker_connections 256; }

http {
    access_log off;
    client_body_temp_path ` + labDir + `/nginx-body;
    proxy_temp_path ` + labDir + `/nginx-proxy;
    fastcgi_temp_path ` + labDir + `/nginx-fastcgi;
    uwsgi_temp_path ` + labDir + `/nginx-uwsgi;
    scgi_temp_path ` + labDir + `/nginx-scgi;
}
`
