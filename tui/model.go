package tui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"flatnet/core/health"
	"flatnet/themes"
	"flatnet/tui/pane"
	"flatnet/tui/text"
	"flatnet/tui/widget"
)

// Model is the root: it sizes, focuses and routes, and holds what lies over
// the panes (dialogs) and what is being done (the job).
type Model struct {
	o        Options
	t        *text.Texts
	style    style
	panes    []pane.Pane // those of the grid, then the findings
	findings pane.Findings
	focus    int
	zoomed   bool
	width    int
	height   int
	dialog   dialog // over the panes; nil: none
	job      *job   // what is being planned or done; nil: nothing
	jobs     *jobs
	activity widget.Activity
	failure  string // the last error in full, for copying
	mouse    bool
	leaving  bool // quit as soon as the job has ended
	linear   bool // there are lines instead of a screen

	drawn string // what is on the screen; "" : to be drawn anew

	reloading     bool   // a look at the configuration file is under way
	configProblem string // what is wrong with it; "" : nothing
}

// dialog lies over the panes and takes all keys.
type dialog interface {
	// Update takes a key or a paste; closed says that the dialog is done.
	Update(m *Model, msg tea.Msg) (closed bool, cmd tea.Cmd)
	View(l *widget.Look, width, height int) string
}

// New makes the console's model.
func New(o Options) *Model {
	o = o.withDefaults()
	t := text.For(o.Config.TUI.Language, o.getenv)
	m := &Model{o: o, t: t, jobs: &jobs{}, mouse: o.Config.TUI.Mouse, style: newStyle(o, t)}
	m.panes, m.findings = newPanes(o, pane.Deps{Text: t, Now: o.Now, Limit: o.Limit})
	if o.Notice != "" {
		m.say(widget.Warn, o.Notice)
	}
	return m
}

// newPanes makes the panes of the grid, and the findings after them.
func newPanes(o Options, d pane.Deps) ([]pane.Pane, pane.Findings) {
	findings := pane.NewFindings(o.Findings, d)
	return []pane.Pane{
		pane.NewBridge(o.Sources.Bridge, d),
		pane.NewLeases(o.Sources.Leases, d),
		pane.NewWindows(o.Sources.Windows, d),
		pane.NewUpstreams(o.Sources.Upstreams, d),
		findings,
	}, findings
}

// tickedMsg says that it is time to look again.
type tickedMsg struct{}

// Init implements tea.Model: all panes look at once, none waits for another.
func (m *Model) Init() tea.Cmd {
	return tea.Batch(m.tick(), tea.RequestBackgroundColor, m.refreshAll(false))
}

// lateFindings judges what is there where a slow source keeps the panes from
// all having answered.
func (m *Model) lateFindings() tea.Cmd {
	if m.looking() {
		return m.findings.Refresh(false)
	}
	return nil
}

func (m *Model) tick() tea.Cmd {
	return tea.Tick(m.o.Config.TUI.Refresh, func(time.Time) tea.Msg { return tickedMsg{} })
}

// Update implements tea.Model. It does no I/O.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if m.news(msg) {
		m.drawn = ""
	}
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.resize()
	case probedMsg:
		return m, m.refreshAll(true)
	case tickedMsg:
		late := m.lateFindings()
		return m, tea.Batch(m.tick(), m.refreshAll(false), late, m.reload())
	case reloadedMsg:
		return m, m.reloaded(msg)
	case pane.Message:
		return m, m.route(msg)
	case tea.KeyPressMsg, tea.PasteMsg:
		return m, m.input(msg)
	case tea.MouseClickMsg:
		m.click(msg.X, msg.Y)
	case tea.MouseWheelMsg:
		return m, m.wheel(msg)
	case tea.ColorProfileMsg:
		m.style.profile(msg.Profile)
	case tea.BackgroundColorMsg:
		m.style.background(msg.IsDark())
	case jobMsg:
		return m, m.jobDone(msg)
	case rebasedMsg:
		m.rebased(msg)
	}
	return m, nil
}

// news tells whether a message may change what is on the screen: most looks
// see what the last one saw.
func (m *Model) news(msg tea.Msg) bool {
	switch msg := msg.(type) {
	case tickedMsg:
		return slices.ContainsFunc(m.panes, pane.Pane.Ages)
	case pane.Message:
		return msg.News()
	case reloadedMsg:
		return msg.changed || msg.err != nil || m.configProblem != ""
	}
	return true
}

// route hands a message to its pane, whichever that is. Findings are judged on
// what the panes saw: when the last of them has answered, they are due.
func (m *Model) route(msg pane.Message) tea.Cmd {
	var cmd tea.Cmd
	for _, p := range m.panes {
		if p.ID() == msg.For() {
			cmd = p.Update(msg)
		}
	}
	if msg.For() != m.findings.ID() && !m.looking() {
		return tea.Batch(cmd, m.findings.Refresh(true))
	}
	return cmd
}

// looking tells whether a pane of the grid is waiting for its source.
func (m *Model) looking() bool {
	return slices.ContainsFunc(m.panes[:gridPanes], pane.Pane.Busy)
}

// refreshAll has every pane of the grid look again; insist: also those that
// look now.
func (m *Model) refreshAll(insist bool) tea.Cmd {
	cmds := make([]tea.Cmd, 0, gridPanes)
	for _, p := range m.panes[:gridPanes] {
		cmds = append(cmds, p.Refresh(insist))
	}
	return tea.Batch(cmds...)
}

// focused is the pane that has the keys.
func (m *Model) focused() pane.Pane { return m.panes[m.focus] }

// show focuses a pane.
func (m *Model) show(i int) {
	if i >= 0 && i < len(m.panes) {
		m.focus = i
		m.resize()
	}
}

// say adds to the activity strip.
func (m *Model) say(t widget.Tone, s string) { m.activity.Say(m.o.Now(), t, s) }

// worst gives the finding that the header names and how many more there are.
func (m *Model) worst() (health.Finding, int, bool) {
	bad := m.findings.Bad()
	if len(bad) == 0 {
		return health.Finding{}, 0, false
	}
	return bad[0], len(bad) - 1, true
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Limit <= 0 {
		o.Limit = DefaultLimit
	}
	if o.Config.TUI.Refresh <= 0 {
		o.Config.TUI.Refresh = defaultRefresh
	}
	if o.Theme == "" {
		o.Theme = o.Config.TUI.Theme
	}
	if len(o.Themes) == 0 {
		o.Themes, _ = themes.Builtin() // embedded, and checked by a test
	}
	o.ReadOnly = o.ReadOnly || o.Config.TUI.ReadOnly
	return o
}

// defaultRefresh is how often the panes look again where the configuration
// does not say.
const defaultRefresh = 2 * time.Second

// getenv reads the environment that the console was given.
func (o Options) getenv(name string) string {
	for _, e := range o.Environ {
		if len(e) > len(name) && e[:len(name)] == name && e[len(name)] == '=' {
			return e[len(name)+1:]
		}
	}
	return ""
}
