package remote

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed *.sh lib/*.sh
var files embed.FS

// Script is sh text with its arguments, to be run on a host by /bin/sh -s.
type Script struct {
	Text string
	Args []string
}

// program is a composed script: the text of a file, of the files whose functions it uses, and of
// the function take, which sets the inputs that all of them declare.
type program struct {
	text   string
	inputs []input
}

// input is a NAME=VALUE argument of a program.
type input struct {
	name string
	list bool // it may come any number of times, and the program reads it from its parameters
}

// values are the values of inputs by name, one for each input that is not a list.
type values map[string][]string

// script returns the program with a value for each of its inputs. It ignores other values.
func (p program) script(v values) Script {
	var args []string
	for _, in := range p.inputs {
		if n := len(v[in.name]); n != 1 && !in.list {
			// A mistake in this package, which every test finds.
			panic(fmt.Sprintf("%d values for the input %q", n, in.name))
		}
		for _, value := range v[in.name] {
			args = append(args, in.name+"="+value)
		}
	}
	return Script{Text: p.text, Args: args}
}

// lastLine is the last line of every program. A shell reads a whole line before it runs it, so it
// has read the whole script before any command of it runs, and what follows on standard input is
// for the commands.
const lastLine = "{ main \"$@\"; exit $?; }\n"

// beforeLastLine is for a main that never returns.
const beforeLastLine = "# shellcheck disable=SC2317 # some scripts exit in main\n"

// compose returns the program of the file NAME.sh.
func compose(name string) program { return composeText(readScript(name+".sh"), "") }

// composeText returns the program of a text that is written like a file of this directory. extra
// is put in front of its last line.
func composeText(main, extra string) program {
	var b strings.Builder
	b.WriteString(readScript("env.sh"))
	c := composer{seen: map[string]bool{}}
	c.add(main)
	b.WriteString(c.take())
	for _, text := range c.texts {
		b.WriteString("\n" + text)
	}
	b.WriteString("\n" + extra + beforeLastLine + lastLine)
	return program{text: b.String(), inputs: c.inputs}
}

// composer collects the files that a program uses, each after those that it uses itself.
type composer struct {
	seen   map[string]bool
	texts  []string
	inputs []input
	passed []input // accepted but not set: another program gets them
}

func (c *composer) add(text string) {
	for _, name := range directive(text, "uses") {
		if !c.seen[name] {
			c.seen[name] = true
			c.add(readScript("lib/" + name + ".sh"))
		}
	}
	for _, name := range directive(text, "inputs") {
		c.inputs = addInput(c.inputs, name)
	}
	for _, name := range directive(text, "passes") {
		c.passed = append(c.passed, compose(name).inputs...)
	}
	c.texts = append(c.texts, text)
}

func addInput(inputs []input, name string) []input {
	name, list := strings.CutSuffix(name, "...")
	if in := (input{name, list}); !slices.Contains(inputs, in) {
		return append(inputs, in)
	}
	return inputs
}

// take returns the text of a shell function that sets the declared inputs and rejects all other
// arguments. It also adds the inputs that are passed on.
func (c *composer) take() string {
	if len(c.inputs) == 0 {
		return ""
	}
	var set, ignore []string
	for _, in := range c.inputs {
		if in.list {
			ignore = append(ignore, in.name+"=*")
		} else {
			set = append(set, in.name)
		}
	}
	for _, in := range c.passed {
		if !slices.Contains(c.inputs, in) {
			ignore = append(ignore, in.name+"=*")
			c.inputs = append(c.inputs, in)
		}
	}
	slices.Sort(set)
	var b strings.Builder
	b.WriteString("\n# take NAME=VALUE... sets the inputs of this script.\ntake() {\n  for argument in \"$@\"; do\n    case $argument in\n")
	for _, name := range set {
		fmt.Fprintf(&b, "      %s=*) %s=${argument#*=} ;;\n", name, name)
	}
	if len(ignore) > 0 {
		slices.Sort(ignore)
		fmt.Fprintf(&b, "      %s) ;;\n", strings.Join(ignore, " | "))
	}
	b.WriteString(`      *)
        echo "fleetctl: unknown argument \"${argument%%=*}\"" >&2
        exit 64
        ;;
    esac
  done
}
`)
	return b.String()
}

// directive returns the words of the lines "# KEYWORD: WORD..." in the header of a file.
func directive(text, keyword string) []string {
	var words []string
	for line := range strings.Lines(text) {
		list, found := strings.CutPrefix(line, "# "+keyword+": ")
		switch {
		case found:
			words = append(words, strings.Fields(list)...)
		case !strings.HasPrefix(line, "#"):
			return words
		}
	}
	return words
}

func readScript(path string) string {
	text, err := files.ReadFile(path)
	if err != nil {
		panic(err) // a name in this package that is not embedded: every test finds it
	}
	return string(text)
}

// composeLaunch returns the program that starts a job. It has the job and its root half in
// here-documents.
func composeLaunch() program {
	job, root := compose("job"), compose("root")
	var patterns []string
	for _, in := range job.inputs {
		patterns = append(patterns, in.name+"=*")
	}
	return composeText(readScript("launch.sh"),
		"job_takes() {\n  case $1 in\n    "+strings.Join(patterns, " | ")+") return 0 ;;\n  esac\n  return 1\n}\n\n"+
			printer("job", job.text)+printer("root", root.text))
}

// printer returns a function of sh that prints a text.
func printer(name, text string) string {
	const end = "END_OF_FLEETCTL_SCRIPT"
	return fmt.Sprintf("print_%s() {\n  cat <<'%s'\n%s%s\n}\n\n", name, end, text, end)
}
