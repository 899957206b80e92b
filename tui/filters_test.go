package tui

import "testing"

func TestFiltersAreChosenFromMenu(t *testing.T) {
	d := newDriver(barta(), 100, 40).atRest()
	d.press("f")
	d.wantShown(t, "no filter is saved in [filters] of config.toml")
	d.options.Settings.Filters = []Filter{{"clouds", "csb0"}, {"broken", "csb0 and"}}
	d.options.Inventory.Path = "hosts.toml"
	d.press("f")
	d.wantShown(t, "─ filters ─", "1  clouds  csb0")
	d.press("1")
	d.wantShown(t, "/csb0  1 host, esc shows all")
	d.press("f", "2")
	if d.list.filter != "csb0" {
		t.Errorf("an invalid filter replaced the last one: %q", d.list.filter)
	}
	d.press("esc", "/", "h", "s", "b", "enter", "esc", "/", "up")
	if d.list.filter != "hsb" {
		t.Errorf("the filter is %q", d.list.filter)
	}
	d.press("up")
	if d.list.filter != "csb0" {
		t.Errorf("the filter before is %q", d.list.filter)
	}
	d.press("enter", "f")
	d.wantShown(t, "3  recent  csb0", "4  recent  hsb")
}

func TestFirstTimeShowsKeysUntilOneIsPressed(t *testing.T) {
	d := newDriver(barta(), 100, 40).atRest()
	d.options.Settings.FirstTime = true
	d.wantShown(t, "start here: ? all keys  m what can be done  enter open a host  space mark it  d deploy (asks first)")
	d.press("j")
	d.wantShown(t, "enter open  m menu")
}
