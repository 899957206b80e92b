package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
)

// completeSelector completes the last name in a selector: hosts, tags, kinds and waves. Hosts that
// the command line has already are left out.
func completeSelector(env *Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		inv, err := readInventory(env, cmd)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		before := word[:strings.LastIndexAny(word, " \t,(")+1]
		var all []cobra.Completion
		add := func(name, description string) {
			all = append(all, cobra.CompletionWithDesc(before+name, description))
		}
		groups := make(map[string]int) // by selector: how many hosts
		for _, h := range inv.Hosts {
			if !slices.Contains(args, h.Name) {
				add(h.Name, describeHost(h))
			}
			for _, tag := range h.Tags {
				groups["@"+tag]++
			}
			groups["kind:"+string(h.Kind)]++
			groups[fmt.Sprintf("wave:%d", h.Wave)]++
		}
		for _, name := range slices.Sorted(maps.Keys(groups)) {
			add(name, count(groups[name], "host"))
		}
		return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// completeHost completes the first argument with the hosts of the inventory.
func completeHost(env *Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		inv, err := readInventory(env, cmd)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return hostsOf(inv), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// completeBuilder completes the value of --build-on.
func completeBuilder(env *Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		all := []cobra.Completion{cobra.CompletionWithDesc(inventory.BuiltByHost, "each host itself")}
		if inv, err := loadInventory(env, cmd); err == nil {
			all = append(all, hostsOf(inv)...)
		}
		return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

func hostsOf(inv *inventory.Inventory) []cobra.Completion {
	var all []cobra.Completion
	for _, h := range inv.Hosts {
		all = append(all, cobra.CompletionWithDesc(h.Name, describeHost(h)))
	}
	return all
}

// describeHost returns what selectors know about a host: "nixos, wave 2, @home @server".
func describeHost(h *inventory.Host) string {
	text := fmt.Sprintf("%s, wave %d", h.Kind, h.Wave)
	for i, tag := range h.Tags {
		text += map[bool]string{true: ", @", false: " @"}[i == 0] + tag
	}
	return text
}

// maxCompletedRuns is how many of the newest runs are completed.
const maxCompletedRuns = 30

// completeRuns completes the first n arguments with the IDs of recorded runs, the newest first.
func completeRuns(env *Env, n int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		records, err := env.records().List()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var all []cobra.Completion
		for _, rec := range records[:min(len(records), maxCompletedRuns)] {
			if text := describeRun(rec); text != "" {
				all = append(all, cobra.CompletionWithDesc(rec.Run, text))
			}
		}
		if all != nil {
			all = append(all, cobra.CompletionWithDesc("last", "the newest run"))
		}
		return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// describeRun returns what a run did, "switch to 3f9c2ab, 2 hosts, 1 switched, 1 failed", or "" if
// its record cannot be read.
func describeRun(rec *record.Record) string {
	state, err := rec.State()
	if err != nil || state.Start == nil {
		return ""
	}
	run := newPastRun(rec, state)
	text := run.Goal
	if run.Revision != "" {
		text += " to " + health.Short(run.Revision)
	}
	return strings.Join(someOf(text, count(len(run.Hosts), "host"), outcomeCounts(run.Counts), run.status()), ", ")
}

// hostsOfRun completes the hosts of the run that the arguments name.
func hostsOfRun(env *Env, args []string) []cobra.Completion {
	rec, err := env.record(args)
	if err != nil {
		return nil
	}
	state, err := rec.State()
	if err != nil {
		return nil
	}
	var all []cobra.Completion
	for _, h := range state.Hosts {
		text := string(h.Phase)
		if h.Result != nil {
			text = string(h.Result.Outcome) + stepAndReason(h.Result)
		}
		all = append(all, cobra.CompletionWithDesc(h.Name, text))
	}
	return all
}

// completeRevision completes --rev with the branches and tags of the repository that the inventory
// is in, the newest first. It does not ask the remote.
func completeRevision(env *Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		inv, err := readInventory(env, cmd)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
		defer cancel()
		remote, _ := env.remoteOf(ctx, sourceOf(inv))
		refs := env.gitLog(ctx, inv, "for-each-ref", "--count=100", "--sort=-creatordate", "--format=%(refname) %(contents:subject)",
			"refs/heads", "refs/tags", "refs/remotes/"+remote)
		var all []cobra.Completion
		seen := make(map[string]bool)
		for line := range strings.Lines(refs) {
			ref, subject, _ := strings.Cut(strings.TrimSpace(line), " ")
			name := ref
			for _, dir := range []string{"refs/heads/", "refs/tags/", "refs/remotes/" + remote + "/"} {
				name = strings.TrimPrefix(name, dir)
			}
			if name != "HEAD" && !seen[name] {
				seen[name] = true
				all = append(all, cobra.CompletionWithDesc(name, subject))
			}
		}
		return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// completionTimeout bounds what a completion asks git or a host.
const completionTimeout = 5 * time.Second

// completeGeneration completes --to with the generations of the host that the arguments name, which
// it asks. It prompts for nothing.
func completeGeneration(env *Env) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		inv, hosts, err := loadHosts(env, cmd, args)
		if err != nil || len(hosts) != 1 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		silent := *env
		silent.InTTY, silent.Secret = false, nil
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
		defer cancel()
		var all []cobra.Completion
		err = silent.withClient(ctx, inv, hosts, 1, func(ctx context.Context, c *host.Client) error {
			generations, err := c.Generations(ctx, hosts[0])
			for _, g := range generations {
				cells := generationCells(g)
				all = append(all, cobra.CompletionWithDesc(strconv.Itoa(g.Number), strings.Join(someOf(cells[1:]...), ", ")))
			}
			return err
		})
		if err != nil {
			all = nil
		}
		return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// bashCompletion is what bash needs besides cobra's script. It replaces the function that bash
// calls, since cobra's requires the package bash-completion. It works in bash 3.2.
const bashCompletion = `
# words, cword and cur are the words of the command line up to the cursor. Bash splits them also at
# characters such as "=" and ":"; words without a blank between them are joined again.
__fleetctl_split_words()
{
    local i word rest line=${COMP_LINE:0:COMP_POINT}
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        rest=${line#"${line%%[![:space:]]*}"}
        word=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then word=$rest; fi
        if ((i > 0)) && [[ $rest == "$line" ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
        line=${rest#"$word"}
    done
    cword=$((${#words[@]} - 1))
    cur=${words[cword]}
}

__start_fleetctl()
{
    local cur words cword out directive
    COMPREPLY=()
    __fleetctl_split_words
    __fleetctl_get_completion_results
    __fleetctl_process_completion_results
}

# Adds the completions that begin with cur. Cobra's function would escape the comma of a selector.
__fleetctl_handle_standard_completion_case()
{
    local line comp longest=0 tab=$'\t'
    for line in "${completions[@]}"; do
        comp=${line%%$tab*}
        [[ $comp == "$cur"* ]] || continue
        COMPREPLY[${#COMPREPLY[@]}]=$line
        if ((${#comp} > longest)); then longest=${#comp}; fi
    done
    if ((${#COMPREPLY[@]} != 1)); then
        __fleetctl_format_comp_descriptions "$longest"
        return
    fi
    comp=${COMPREPLY[0]%%$tab*}
    if [[ $comp == *[!A-Za-z0-9_./,:=@%+-]* ]]; then comp=$(printf %q "$comp"); fi
    COMPREPLY[0]=$comp
}

# Readline replaces only the end of a word: from the last "@", or after the last ":" or "=".
__fleetctl_handle_special_char()
{
    local char part head= i
    if [[ $2 != : ]]; then return; fi # it is called once more, for "="
    for char in : = @; do
        if [[ $1 != *$char* || $COMP_WORDBREAKS != *$char* ]]; then continue; fi
        part=${1%$char*}
        if [[ $char != @ ]]; then part+=$char; fi
        if ((${#part} > ${#head})); then head=$part; fi
    done
    for ((i = 0; i < ${#COMPREPLY[@]}; i++)); do
        COMPREPLY[i]=${COMPREPLY[i]#"$head"}
    done
}

__fleetctl_filedir()
{
    if declare -F _filedir >/dev/null 2>&1; then
        _filedir "$@"
        return
    fi
    local kind=-f IFS=$'\n'
    if [[ ${1-} == -d ]]; then kind=-d; fi
    if [[ $(type -t compopt) == builtin ]]; then compopt -o filenames; fi
    COMPREPLY=($(compgen "$kind" -- "$cur"))
}
`

// printBashCompletion prints the completion script for bash.
func printBashCompletion(c *cobra.Command, descriptions bool) error {
	var script strings.Builder
	if err := c.Root().GenBashCompletionV2(&script, descriptions); err != nil {
		return err
	}
	text := strings.ReplaceAll(script.String(), "_filedir", "__fleetctl_filedir")
	_, err := fmt.Fprint(c.OutOrStdout(), text, bashCompletion)
	return err
}
