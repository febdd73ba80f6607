// Command picture runs a program in a pseudo-terminal, types at it, and
// writes what the screen then shows as an SVG picture.
//
//	picture -o FILE.svg [-size 120x40] [-wait TEXT] [-keys KEYS] [-then TEXT] COMMAND …
package main

import (
	"flag"
	"fmt"
	"html"
	"image/color"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	uv "github.com/charmbracelet/ultraviolet"

	"flatnet/testdata/terminal"
)

func main() {
	var o options
	flag.StringVar(&o.out, "o", "console.svg", "the picture's `FILE`")
	flag.StringVar(&o.size, "size", "120x40", "`COLUMNSxROWS` of the terminal")
	flag.StringVar(&o.wait, "wait", "", "wait for `TEXT` before typing")
	flag.StringVar(&o.keys, "keys", "", "`KEYS` to type, with Go's escapes: \\r \\t \\x1b")
	flag.StringVar(&o.then, "then", "", "wait for `TEXT` after typing")
	flag.BoolVar(&o.light, "light", false, "on a terminal with a light background")
	flag.Parse()
	if err := draw(o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

type options struct {
	out, size, wait, keys, then string
	light                       bool
}

const patience = 30 * time.Second

func draw(o options, command []string) error {
	var columns, rows int
	if _, err := fmt.Sscanf(o.size, "%dx%d", &columns, &rows); err != nil || len(command) == 0 {
		return fmt.Errorf("usage: picture -o FILE.svg -size COLUMNSxROWS COMMAND …")
	}
	keys, err := strconv.Unquote(`"` + o.keys + `"`)
	if err != nil {
		return fmt.Errorf("keys %q: %w", o.keys, err)
	}
	t, err := terminal.Start(exec.Command(command[0], command[1:]...), columns, rows)
	if err != nil {
		return err
	}
	defer t.Close()
	pen := pen{terminal: t, background: "#16181d", foreground: "#d8dadf"}
	if o.light {
		t.Light()
		pen.background, pen.foreground = "#fbfbf9", "#22242a"
	}
	if err := t.WaitFor(o.wait, patience); err != nil {
		return err
	}
	if err := typeSlowly(t, keys); err != nil {
		return err
	}
	if err := t.WaitFor(o.then, patience); err != nil {
		return err
	}
	if err := t.WaitQuiet(300*time.Millisecond, 5*time.Second); err != nil {
		fmt.Fprintln(os.Stderr, "picture: the screen did not come to rest; taken as it is")
	}
	return os.WriteFile(o.out, []byte(pen.svg()), 0o644)
}

// typeSlowly leaves the program time between keys, as a person does: a dialog
// does not take a key that comes at once.
func typeSlowly(t *terminal.Terminal, keys string) error {
	for _, k := range keys {
		if err := t.Type(string(k)); err != nil {
			return err
		}
		time.Sleep(600 * time.Millisecond)
	}
	return nil
}

// The size of one cell in the picture, in pixels.
const cellWidth, cellHeight, fontSize = 9, 19, 15

// pen draws a terminal's screen. Its colours are the terminal's own, where a
// cell has none.
type pen struct {
	terminal               *terminal.Terminal
	background, foreground string
}

// svg draws the screen: one rectangle for each run of background, one text
// for each run of cells in one style, its length fixed so that columns stay
// aligned whatever font the reader has.
func (p pen) svg() string {
	columns, rows := p.terminal.Size()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Noto Sans Mono CJK JP', monospace" font-size="%d">`+"\n",
		columns*cellWidth, rows*cellHeight, fontSize)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="%s"/>`+"\n", p.background)
	for y := range rows {
		for x := 0; x < columns; {
			x = p.drawRun(&b, x, y)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// drawRun draws the cells from x on that share one style and width, so that
// wide characters stay in their columns, and gives the x after them.
func (p pen) drawRun(b *strings.Builder, x, y int) int {
	t := p.terminal
	columns, _ := t.Size()
	start, style, width := x, styleAt(t, x, y), widthAt(t, x, y)
	var text strings.Builder
	for x < columns {
		if here := styleAt(t, x, y); !here.Equal(&style) || widthAt(t, x, y) != width {
			break
		}
		text.WriteString(contentAt(t, x, y))
		x += width
	}
	p.drawCells(b, text.String(), style, start, x, y)
	return x
}

func styleAt(t *terminal.Terminal, x, y int) uv.Style {
	if c := t.Cell(x, y); c != nil {
		return c.Style
	}
	return uv.Style{}
}

// widthAt gives how many columns the cell takes, at least one.
func widthAt(t *terminal.Terminal, x, y int) int {
	if c := t.Cell(x, y); c != nil {
		return max(c.Width, 1)
	}
	return 1
}

func contentAt(t *terminal.Terminal, x, y int) string {
	if c := t.Cell(x, y); c != nil && c.Content != "" {
		return c.Content
	}
	return " "
}

func (p pen) drawCells(b *strings.Builder, text string, s uv.Style, from, to, y int) {
	fg, bg := colour(s.Fg, p.foreground), colour(s.Bg, "")
	if s.Attrs&uv.AttrReverse != 0 {
		fg, bg = colour(s.Bg, p.background), colour(s.Fg, p.foreground)
	}
	width := (to - from) * cellWidth
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", from*cellWidth, y*cellHeight, width, cellHeight, bg)
	}
	if strings.TrimSpace(text) == "" {
		return
	}
	extra := ""
	if s.Attrs&uv.AttrBold != 0 {
		extra += ` font-weight="bold"`
	}
	if s.Attrs&uv.AttrFaint != 0 {
		extra += ` opacity="0.6"`
	}
	if s.Attrs&uv.AttrItalic != 0 {
		extra += ` font-style="italic"`
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s" textLength="%d" lengthAdjust="spacingAndGlyphs" xml:space="preserve"%s>%s</text>`+"\n",
		from*cellWidth, y*cellHeight+14, fg, width, extra, html.EscapeString(text))
}

// colour gives c in SVG's form, or otherwise where there is none.
func colour(c color.Color, otherwise string) string {
	if c == nil {
		return otherwise
	}
	r, g, bl, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, bl>>8)
}
