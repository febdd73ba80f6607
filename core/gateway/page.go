package gateway

import (
	"cmp"
	"strings"
	"time"
)

// noAnswerText stands where the time of a failure stands, if it is new.
const noAnswerText = "It did not answer just now."

// words are what a 503 page says, as text.
type words struct {
	Title, Message string
	Since          string // HTML, made here
}

// downWords say that the site is down.
func downWords(s Site, since string) words {
	return words{
		Title:   s.Host + " is down",
		Message: cmp.Or(s.DownMessage, "The service behind this address does not answer. It comes back by itself as soon as it runs again."),
		Since:   since,
	}
}

// busyWords say that the site was put into maintenance.
func busyWords(s Site) words {
	return words{
		Title:   s.Host + " is being worked on",
		Message: cmp.Or(s.DownMessage, "Someone is working on this service. It comes back when they are done."),
	}
}

// sinceText is a sentence with a time that browsers turn into their own.
func sinceText(t time.Time) string {
	if t.IsZero() {
		return noAnswerText
	}
	t = t.UTC()
	return "Since <time datetime='" + t.Format("2006-01-02T15:04:05Z") + "'>" + t.Format("2006-01-02 15:04 MST") + "</time>."
}

// pageTemplate is the page's HTML on one line, with @title@, @message@ and
// @since@ in it. It has neither double quotes nor "$", which nginx would read.
func pageTemplate() string {
	html, err := templates.ReadFile("template/page.html")
	if err != nil {
		panic(err) // it is embedded
	}
	return strings.ReplaceAll(string(html), "\n", "")
}

// page is the whole HTML for some words.
func page(w words) string {
	return strings.NewReplacer("@title@", escape(w.Title), "@message@", escape(w.Message), "@since@", w.Since).Replace(pageTemplate())
}

// escape makes text safe in HTML and in an nginx parameter: what either of
// them would obey becomes a character reference.
func escape(s string) string {
	return strings.NewReplacer("&", "&#38;", "<", "&#60;", ">", "&#62;", `"`, "&#34;", "'", "&#39;", "$", "&#36;", `\`, "&#92;", "@", "&#64;", "%", "&#37;").Replace(s)
}
