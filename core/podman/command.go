package podman

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"time"

	"flatnet/core/say"
)

// command is the podman program. It takes some 50 ms where the socket takes
// one, and is asked only where nobody listens at the socket.
type command struct{ program string }

// run gives what podman prints, at most limit bytes of it.
func (c command) run(ctx context.Context, limit int64, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.WaitDelay = time.Second
	var complaint bytes.Buffer
	cmd.Stderr = &limited{w: &complaint, left: 4096}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	data, err := readBounded(out, limit)
	if err != nil {
		_ = cmd.Process.Kill()
	}
	if ended := cmd.Wait(); err == nil {
		err = ended
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, say.Errorf("%w: %q", err, lastLine(complaint.String()))
	}
	return data, nil
}

// limited keeps the first bytes and swallows the rest.
type limited struct {
	w    *bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	keep := min(len(p), l.left)
	l.w.Write(p[:keep])
	l.left -= keep
	return len(p), nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

func (c command) list(ctx context.Context) ([]listed, error) {
	data, err := c.run(ctx, maxList, "ps", "--all", "--no-trunc", "--format", "json")
	if err != nil {
		return nil, err
	}
	return parseList(data)
}

// inspect asks for all at once. Where one has gone meanwhile podman fails, and
// so does this: the next look is right again.
func (c command) inspect(ctx context.Context, ids []string) (map[string]details, error) {
	found := make(map[string]details, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	data, err := c.run(ctx, maxList, append([]string{"container", "inspect", "--"}, ids...)...)
	if err != nil {
		return nil, err
	}
	var all []inspected
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	for _, one := range all {
		found[one.ID] = one.details()
	}
	return found, nil
}

func (c command) info(ctx context.Context) (Info, error) {
	data, err := c.run(ctx, maxInfo, "info", "--format", "json")
	if err != nil {
		return Info{}, err
	}
	return parseInfo(data)
}
