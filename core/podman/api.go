package podman

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"flatnet/core/say"
)

// Bounds on what an answer may hold, in bytes. A container in a list takes
// about one kilobyte, most of it labels.
const (
	maxList    = 32 << 20
	maxInspect = 4 << 20
	maxInfo    = 1 << 20
	maxEvent   = 1 << 20
)

// base is the libpod API of Podman 4, which 4 and 5 have; the host name is
// not used on a unix socket.
const base = "http://podman/v4.0.0/libpod/"

var errNotFound = say.New("there is no such container")

// api is Podman's HTTP API on a unix socket.
type api struct{ http *http.Client }

func newAPI(socket string) *api {
	dialer := &net.Dialer{}
	return &api{&http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, "unix", socket)
			},
			DisableCompression:     true,
			MaxIdleConnsPerHost:    4,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// open sends a question and gives the body of a good answer.
func (a *api) open(ctx context.Context, path string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return nil, errNotFound
	}
	return nil, say.Errorf("it answered with status %d", resp.StatusCode)
}

// get reads a whole answer of at most limit bytes.
func (a *api) get(ctx context.Context, path string, limit int64) ([]byte, error) {
	body, err := a.open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	return readBounded(body, limit)
}

func readBounded(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = say.Errorf("it has more than %d bytes", limit)
	}
	return data, err
}

func (a *api) list(ctx context.Context) ([]listed, error) {
	data, err := a.get(ctx, "containers/json?all=true", maxList)
	if err != nil {
		return nil, err
	}
	return parseList(data)
}

// inspect asks for each container alone: the list has no addresses.
func (a *api) inspect(ctx context.Context, ids []string) (map[string]details, error) {
	const atOnce = 4
	results := make([]details, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, id := range ids {
		group.Go(func() error {
			data, err := a.get(ctx, "containers/"+url.PathEscape(id)+"/json", maxInspect)
			if errors.Is(err, errNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			results[i], err = parseInspect(data)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	found := make(map[string]details, len(ids))
	for i, id := range ids {
		if results[i].networks != nil {
			found[id] = results[i]
		}
	}
	return found, nil
}

func (a *api) info(ctx context.Context) (Info, error) {
	data, err := a.get(ctx, "info", maxInfo)
	if err != nil {
		return Info{}, err
	}
	return parseInfo(data)
}
