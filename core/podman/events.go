package podman

import (
	"bufio"
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"
)

// Events asks first whether anybody is there, since Podman answers this
// question only with its first event. Events of the second before are
// delivered too, so that none is lost until the connection stands.
func (c *client) Events(ctx context.Context) (<-chan Event, error) {
	if err := c.ping(ctx); err != nil {
		return nil, err
	}
	since := time.Now().Unix()
	events := make(chan Event)
	go func() {
		defer close(events)
		c.follow(ctx, since, events)
	}()
	return events, nil
}

func (c *client) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	const most = 1024
	if _, err := c.api.get(ctx, "_ping", most); err != nil {
		return failure(c.o.Socket, err)
	}
	return nil
}

// follow delivers events until ctx or the connection ends, or what comes is
// no event.
func (c *client) follow(ctx context.Context, since int64, events chan<- Event) {
	query := url.Values{
		"stream":  {"true"},
		"since":   {strconv.FormatInt(since, 10)},
		"filters": {`{"type":["container"]}`},
	}
	body, err := c.api.open(ctx, "events?"+query.Encode())
	if err != nil {
		return
	}
	defer func() { _ = body.Close() }()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		e, err := parseEvent(lines.Bytes())
		if err != nil {
			return
		}
		select {
		case events <- e:
		case <-ctx.Done():
			return
		}
	}
}

func parseEvent(line []byte) (Event, error) {
	var raw struct {
		Action string
		Actor  struct {
			ID         string
			Attributes map[string]string
		}
		TimeNano int64 `json:"timeNano"`
	}
	if err := json.Unmarshal(line, &raw); err != nil {
		return Event{}, err
	}
	return Event{Time: time.Unix(0, raw.TimeNano), Status: raw.Action, ID: raw.Actor.ID, Name: raw.Actor.Attributes["name"]}, nil
}
