package inventory

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// commonDefaults are appended to the text of most tests, so that their hosts are complete.
const commonDefaults = "\n[defaults]\nkind = \"nixos\"\nrepo = \"~/nixcfg\"\n"

// mark is the expected position of a finding in the text of a test.
const mark = "▸"

func cutMark(t *testing.T, marked string) (text string, line, column int) {
	t.Helper()
	before, after, found := strings.Cut(marked, mark)
	if !found {
		t.Fatal("the text has no mark")
	}
	last := before[strings.LastIndexByte(before, '\n')+1:]
	return before + after, strings.Count(before, "\n") + 1, len([]rune(last)) + 1
}

func TestParseReportsEachProblemAtItsPosition(t *testing.T) {
	long := strings.Repeat("n", 129)
	tests := []struct {
		name, text, message, hint string
		complete                  bool // commonDefaults are not appended
	}{
		// The file.
		{name: "empty file", complete: true, text: "▸", message: `no hosts are defined`, hint: `add a table for each host: [hosts.NAME]`},
		{name: "no hosts", text: "▸[fleet]\nname = \"x\"", message: `no hosts are defined`, hint: `add a table for each host: [hosts.NAME]`},
		{name: "empty hosts table", text: "▸[hosts]", message: `no hosts are defined`, hint: `add a table for each host: [hosts.NAME]`},
		{name: "hosts of another type", text: "▸hosts = 3", message: `hosts must be a table, not the number 3`, hint: `write [hosts]`},
		{name: "UTF-16", complete: true, text: "▸\xff\xfeh\x00", message: `file is encoded in UTF-16`, hint: `save it as UTF-8`},
		{name: "byte order mark", text: "▸\xef\xbb\xbf[hosts.a]", message: `file starts with a byte order mark`, hint: `save it as UTF-8 without a byte order mark`},
		{name: "not UTF-8", text: "[hosts.a] # gr▸\xfc\xdfe", message: `byte 0xfc is not valid UTF-8`, hint: `save the file as UTF-8`},
		{name: "column counts characters", text: "[hosts.a]\nhealth = [\"größe\", ▸3]", message: `host "a": health must be a string, not the number 3`, hint: `write "3"`},
		{name: "CRLF line endings", text: "[hosts.a]\r\nuser = \"a\"\r\nport = ▸0\r\n", message: `host "a": port must be from 1 to 65535, not 0`},

		// Syntax.
		{name: "unquoted string", text: "[hosts.a]\nuser = ▸mba", message: `unquoted string "mba"`, hint: `write "mba"`},
		{name: "unquoted string that starts like a keyword", text: "[hosts.a]\nkind = ▸nixos", message: `unquoted string "nixos"`, hint: `write "nixos"`},
		{name: "unquoted duration", text: "[hosts.a]\ntimeouts.build = 90▸m", message: `unquoted string`, hint: `put it in quotes, as in build = "90m"`},
		{name: "two keys on a line", text: "[hosts.a]\nwave = 1 ▸port = 2", message: `unexpected "port" after the value`, hint: `start a new line, or start a comment with #`},
		{name: "no equals sign", text: "[hosts.a]\nuser ▸\"mba\"", message: `expected '=' after key`, hint: `write KEY = VALUE, as in user = "mba"`},
		{name: "unterminated string", text: "[hosts.a]\nuser = ▸\"mba", message: ``},
		{name: "unterminated list", text: "[hosts.a]\ntags = [\"x\"\n▸[defaults]\nrepo = \"/x\"", message: `expected ',' or ']' after array value`},

		{name: "unquoted path", text: "[hosts.a]\nrepo = ▸~/nixcfg", message: `unquoted string "~/nixcfg"`, hint: `write "~/nixcfg"`},
		{name: "unquoted color", text: "[hosts.a]\ncolor = ▸#d4c060", message: `unquoted string "#d4c060"`, hint: `write "#d4c060"`},
		{name: "comment instead of a value", text: "[hosts.a]\ncolor = ▸# why", message: `unexpected character U+0023 '#' at start of value`},
		{name: "bracket after a value", text: "[hosts.a]\nwave = 1 ▸]", message: `unexpected "]" after the value`, hint: `start a new line, or start a comment with #`},

		// Tables and keys.
		{name: "duplicate host", text: "[hosts.a]\n[hosts.▸a]", message: `duplicate host "a"`, hint: `it is first defined on line 1`},
		{name: "duplicate table", text: "[fleet]\n[▸fleet]\n[hosts.a]", message: `duplicate table [fleet]`, hint: `it is first defined on line 1`},
		{name: "duplicate key", text: "[hosts.a]\nwave = 1\n▸wave = 2", message: `duplicate key "wave"`, hint: `it is first set on line 2`},
		{name: "table after dotted key", text: "[hosts.a]\ntimeouts.pull = \"1m\"\n[hosts.a.▸timeouts]", message: `duplicate table [hosts.a.timeouts]`, hint: `it is first defined on line 2`},
		{name: "dotted key into a table", text: "[hosts.a]\n[hosts.a.timeouts]\n[hosts]\n▸a.wave = 1", message: `table "a" is already defined`, hint: `add to it on line 1`},
		{name: "adding to an inline table", text: "hosts = { a = {} }\n[▸hosts.b]", message: `table "hosts" is already defined`, hint: `add to it on line 1`},
		{name: "key within a value", text: "[hosts.a]\nwave = 1\n▸wave.x = 1", message: `"wave" is not a table`, hint: `line 2 sets it to the number 1`},
		{name: "array header for a host", text: "[[hosts.▸a]]", message: `host "a" must be a table, not a list`, hint: `write [hosts.a]`},
		{name: "array header for a table", text: "[hosts.a.timeouts]\n[[hosts.a.▸timeouts]]", message: `cannot append to [[hosts.a.timeouts]]`, hint: `line 1 sets it to a table`},
		{name: "array header for a list", text: "[hosts.a]\nhealth = [\"true\"]\n[[hosts.a.▸health]]\ncheck = \"x\"", message: `cannot append to [[hosts.a.health]]`, hint: `line 2 sets it to a list`},
		{name: "date as a value", text: "[hosts.a]\nwave = ▸1979-05-27", message: `host "a": wave must be a whole number, not the date 1979-05-27`},
		{name: "boolean as a string", text: "[hosts.a]\nuser = ▸true", message: `host "a": user must be a string, not true`},
		{name: "inline table as an unknown key", text: "[hosts.a]\n▸x = {}", message: `unknown key "x" in host "a"`, hint: `valid keys: kind, address, addresses, connect, port, user, tags, wave, color, attr, repo, flake_dir, repo_mode, build, builds, offline, backup_extension, on_inhibited, specialisation, switch_command, health, before_switch, after_switch, sudo, nix_options, build_args, timeouts, max_log`},
		{name: "fleet as a value", text: "▸fleet = 3\n[hosts.a]", message: `fleet must be a table, not the number 3`, hint: `write [fleet]`},
		{name: "unknown key", text: "[hosts.hsb0]\n▸tgas = [\"x\"]", message: `unknown key "tgas" in host "hsb0"`, hint: `did you mean "tags"?`},
		{name: "synonym of a key", text: "[hosts.a]\n▸hostname = \"x\"", message: `unknown key "hostname" in host "a"`, hint: `did you mean "address"?`},
		{name: "key that resembles no other", text: "[fleet]\n▸zzz = 1\n[hosts.a]", message: `unknown key "zzz" in [fleet]`, hint: `valid keys: name, remote, branch, require_signed, allowed_signers`},
		{name: "defaults key in a host", text: "[hosts.a]\n▸parallel = 3", message: `unknown key "parallel" in host "a"`, hint: `it belongs in [defaults]`},
		{name: "host key in fleet", text: "[fleet]\n▸kind = \"nixos\"\n[hosts.a]", message: `unknown key "kind" in [fleet]`, hint: `it belongs in [defaults] or [hosts.NAME]`},
		{name: "host key in defaults", complete: true, text: "[defaults]\nkind = \"nixos\"\nrepo = \"/x\"\n▸tags = [\"x\"]\n[hosts.a]", message: `unknown key "tags" in [defaults]`, hint: `it belongs in [hosts.NAME]`},
		{name: "fleet key in a host", text: "[hosts.a]\n▸remote = \"/x\"", message: `unknown key "remote" in host "a"`, hint: `it belongs in [fleet]`},
		{name: "timeout outside timeouts", text: "[hosts.a]\n▸pull = \"1h\"", message: `unknown key "pull" in host "a"`, hint: `it belongs in timeouts: write timeouts.pull`},
		{name: "timeout in place of a builder", text: "[hosts.a]\nbuild = ▸\"1h\"", message: `host "a": build is not a time limit`, hint: `the limit is timeouts.build: write timeouts.build = "1h"`},
		{name: "unknown builder", text: "[hosts.big]\n[hosts.a]\nbuild = ▸\"bigg\"", message: `host "a": build names "bigg", which is not a host of the inventory`, hint: `did you mean "big"?`},
		{name: "builder is the host itself", text: "[hosts.a]\nbuild = ▸\"a\"", message: `host "a": build names the host itself`, hint: `write build = "host"`},
		{name: "builder without a remote", text: "[hosts.b]\n[hosts.a]\nbuild = ▸\"b\"", message: `host "a": another host builds for it, but there is no remote to clone there`, hint: `set it in [fleet]: remote = "git@github.com:you/nixcfg.git"`},
		{name: "builder and switch_command", text: "[fleet]\nremote = \"/r\"\n[hosts.b]\n[hosts.a]\nswitch_command = \"true\"\nbuild = ▸\"b\"", message: `host "a": build has no effect with a switch_command, which builds what it needs`, hint: `remove build or switch_command`},
		{name: "builders in a circle", text: "[fleet]\nremote = \"/r\"\n[hosts.a]\nbuild = ▸\"b\"\n[hosts.b]\nbuild = \"c\"\n[hosts.c]\nbuild = \"a\"", message: `hosts build for each other in a circle: "a", "b", "c", "a"`, hint: `let one of them build for itself: build = "host"`},
		{name: "unknown timeout", text: "[hosts.a]\ntimeouts = { ▸bild = \"1h\" }", message: `unknown key "timeouts.bild" in host "a"`, hint: `did you mean "build"?`},
		{name: "timeouts of another type", text: "[hosts.a]\n▸timeouts = \"90m\"", message: `host "a": timeouts must be a table, not the string "90m"`, hint: `write timeouts.connect = "90m"`},
		{name: "key outside any table", text: "▸name = \"x\"\n[hosts.a]", message: `unknown key "name"`, hint: `it belongs in [fleet]`},
		{name: "unknown table", text: "[▸hosst]\nx = 1\n[hosts.a]", message: `unknown table "hosst"`, hint: `did you mean "hosts"?`},
		{name: "host outside hosts", text: "[▸zeus]\n[hosts.a]", message: `unknown table "zeus"`, hint: `valid tables: [fleet], [defaults], [notify] and [hosts.NAME]`},
		{name: "name with a dot", text: "[hosts.a]\n[hosts.a.▸example]", message: `unknown table "example" in host "a"`, hint: `quote a host name that contains a dot: [hosts."web.example.com"]`},
		{name: "host of another type", text: "[hosts]\n▸a = \"10.0.0.1\"", message: `host "a" must be a table, not the string "10.0.0.1"`, hint: `write [hosts.a]`},

		// Nix.
		{name: "nix_options of another type", text: "[hosts.a]\nnix_options = ▸\"fallback\"", message: `host "a": nix_options must be a table, not the string "fallback"`, hint: `write nix_options = { connect-timeout = 5 }`},
		{name: "setting with an underscore", text: "[hosts.a]\nnix_options.▸max_jobs = 2", message: `host "a": nix_options "max_jobs" is not the name of a setting of nix`, hint: `write "max-jobs"`},
		{name: "setting that contradicts", text: "[defaults]\nnix_options = { ▸experimental-features = \"x\" }\nkind = \"nixos\"\nrepo = \"/x\"\n[hosts.a]", complete: true, message: `[defaults]: nix_options "experimental-features" contradicts what fleetctl itself passes to nix`, hint: `set extra-experimental-features instead: without nix-command and flakes there is nothing to build`},
		{name: "setting of another type", text: "[hosts.a]\nnix_options = { cores = ▸1.5 }", message: `host "a": nix_options has the number 1.5 as a value`, hint: `write a string, a number, true, false or a list of strings`},
		{name: "build_args as a string", text: "[hosts.a]\nbuild_args = ▸\"--cores 2\"", message: `host "a": build_args must be a list, not the string "--cores 2"`, hint: `write ["--cores", "2"]`},
		{name: "build argument that contradicts", text: "[hosts.a]\nbuild_args = [\"--impure\", ▸\"-o\", \"x\"]", message: `host "a": build_args "-o" contradicts what fleetctl itself passes to nix`, hint: `remove it: fleetctl decides what is built and where the result is linked`},
		{name: "build argument that changes locks", text: "[hosts.a]\nbuild_args = [▸\"--no-write-lock-file\"]", message: `host "a": build_args "--no-write-lock-file" contradicts what fleetctl itself passes to nix`, hint: `remove it, and run nix flake lock or update, commit, push: all hosts are given the inputs of flake.lock`},
		{name: "build argument without its value", text: "[hosts.a]\nbuild_args = [\"--impure\", ▸\"--override-input\", \"dep\"]", message: `host "a": build_args "--override-input" needs two values after it`, hint: `write "--override-input", "INPUT", "URL", each in quotes of its own`},
		{name: "build argument with its value", text: "[hosts.a]\nbuild_args = [▸\"--cores=2\"]", message: `host "a": build_args "--cores=2" is not an argument of nix`, hint: `write each word in quotes of its own: "--cores", "2"`},
		{name: "build argument that nix would build", text: "[hosts.a]\nbuild_args = [▸\"nixpkgs#hello\"]", message: `host "a": build_args "nixpkgs#hello" is not a flag, so nix would build it, too`, hint: `remove it, or put the flag that it belongs to before it`},
		{name: "build argument with a typo", text: "[hosts.a]\nbuild_args = [▸\"--inpure\"]", message: `host "a": build_args "--inpure" is not an argument that fleetctl passes to nix`, hint: `did you mean "--impure"?`},

		// Names and tags.
		{name: "name with a space", text: "[hosts.▸\"a b\"]", message: `[hosts]: name "a b" is not a valid host name`, hint: `use letters, digits, '.', '_' and '-', and do not start with '.' or '-'`},
		{name: "name like an option", text: "[hosts.▸-a]", message: `[hosts]: name "-a" is not a valid host name`, hint: `use letters, digits, '.', '_' and '-', and do not start with '.' or '-'`},
		{name: "name like a hidden file", text: "[hosts.▸\".a\"]", message: `[hosts]: name ".a" is not a valid host name`, hint: `use letters, digits, '.', '_' and '-', and do not start with '.' or '-'`},
		{name: "no name", text: "[hosts.▸\"\"]", message: `[hosts]: name must not be empty`, hint: `remove it, or give it a value`},
		{name: "name that is a selector keyword", text: "[hosts.▸and]", message: `[hosts]: name "and" is a keyword of selectors`, hint: `choose another word`},
		{name: "long name", text: "[hosts.▸" + long + "]", message: `[hosts]: name must not be longer than 128 characters`, hint: `use a short name, and set address to the long one`},
		{name: "names that differ in case", text: "[hosts.web]\n[hosts.▸Web]\naddress = \"10.0.0.1\"", message: `host "Web" differs from "web" only in case`, hint: `their logs would share a file on macOS: rename one`},
		{name: "empty tag", text: "[hosts.a]\ntags = [\"x\", ▸\"\"]", message: `host "a": tags must not be empty`, hint: `remove it, or give it a value`},
		{name: "tag with a space", text: "[hosts.a]\ntags = [▸\"a b\"]", message: `host "a": tags "a b" is not a valid tag`, hint: `use letters, digits, '.', '_' and '-', and do not start with '.' or '-'`},
		{name: "tag that is a selector keyword", text: "[hosts.a]\ntags = [▸\"not\"]", message: `host "a": tags "not" is a keyword of selectors`, hint: `choose another word`},
		{name: "duplicate tag", text: "[hosts.a]\ntags = [\"x\", ▸\"x\"]", message: `host "a": tags contains "x" twice`, hint: `remove one of them`},
		{name: "tags as a string", text: "[hosts.a]\ntags = ▸\"x\"", message: `host "a": tags must be a list, not the string "x"`, hint: `write ["x"]`},

		// Kind, repository and attribute.
		{name: "no kind", complete: true, text: "[hosts.▸a]\nrepo = \"/x\"", message: `host "a" has no kind`, hint: `set kind to "nixos", "darwin" or "home", here or in [defaults]`},
		{name: "bad kind", text: "[hosts.a]\nkind = ▸\"nix-darwin\"", message: `host "a": kind must be "nixos", "darwin" or "home", not the string "nix-darwin"`, hint: `did you mean "darwin"?`},
		{name: "kind of another type", text: "[hosts.a]\nkind = ▸true", message: `host "a": kind must be "nixos", "darwin" or "home", not true`},
		{name: "bad kind in defaults, reported once", complete: true, text: "[defaults]\nkind = ▸\"nxos\"\nrepo = \"/x\"\n[hosts.a]\n[hosts.b]", message: `[defaults]: kind must be "nixos", "darwin" or "home", not the string "nxos"`, hint: `did you mean "nixos"?`},
		{name: "no repo", complete: true, text: "[hosts.▸a]\nkind = \"nixos\"", message: `host "a" has no repo`, hint: `set the path of its checkout, here or in [defaults]: repo = "~/Code/nixcfg"`},
		{name: "relative repo", text: "[hosts.a]\nrepo = ▸\"./Code/nixcfg\"", message: `host "a": repo "./Code/nixcfg" is not a valid path on the host`, hint: `use an absolute path, or a path in the login user's home: "~/Code/nixcfg"`},
		{name: "another user's home", text: "[hosts.a]\nrepo = ▸\"~mba/nixcfg\"", message: `host "a": repo "~mba/nixcfg" is not a valid path on the host`, hint: `write the login user's home as "~/"`},
		{name: "flake_dir outside the repository", text: "[hosts.a]\nflake_dir = ▸\"../x\"", message: `host "a": flake_dir "../x" is not a valid directory in the repository`, hint: `use a path in the repository, without "..", for example "nix/hosts"`},
		{name: "flake_dir with dots inside", text: "[hosts.a]\nflake_dir = ▸\"a/../x\"", message: `host "a": flake_dir "a/../x" is not a valid directory in the repository`, hint: `use a path in the repository, without "..", for example "nix/hosts"`},
		{name: "absolute flake_dir", text: "[hosts.a]\nflake_dir = ▸\"/x\"", message: `host "a": flake_dir "/x" is not a valid directory in the repository`, hint: `use a path in the repository, without "..", for example "nix/hosts"`},
		{name: "flake_dir with dot and slash", text: "[hosts.a]\nflake_dir = ▸\"./nix/\"", message: `host "a": flake_dir "./nix/" is not a valid directory in the repository`, hint: `write "nix"`},
		{name: "bad repo_mode", text: "[hosts.a]\nrepo_mode = ▸\"manged\"", message: `host "a": repo_mode must be "checkout" or "managed", not the string "manged"`, hint: `did you mean "managed"?`},
		{name: "managed without remote", text: "[hosts.a]\nrepo_mode = ▸\"managed\"", message: `repo_mode is "managed", but there is no remote to clone`, hint: `set it in [fleet]: remote = "git@github.com:you/nixcfg.git"`},
		{name: "managed without remote in defaults, reported once", complete: true, text: "[defaults]\nkind = \"nixos\"\nrepo_mode = ▸\"managed\"\n[hosts.a]\n[hosts.b]", message: `repo_mode is "managed", but there is no remote to clone`, hint: `set it in [fleet]: remote = "git@github.com:you/nixcfg.git"`},
		{name: "bad offline", text: "[hosts.a]\noffline = ▸\"ignore\"", message: `host "a": offline must be "fail" or "skip", not the string "ignore"`},
		{name: "quotes in attr", text: "[hosts.a]\nattr = ▸'a\"b'", message: `host "a": attr "a\"b" is not a valid attribute name`, hint: `quotes, backslashes, '$' and spaces are not allowed`},
		{name: "interpolation in attr", text: "[hosts.a]\nattr = ▸\"${x}\"", message: `host "a": attr "${x}" is not a valid attribute name`, hint: `quotes, backslashes, '$' and spaces are not allowed`},
		{name: "backslash in attr", text: "[hosts.a]\nattr = ▸'a\\b'", message: `host "a": attr "a\\b" is not a valid attribute name`, hint: `quotes, backslashes, '$' and spaces are not allowed`},
		{name: "control character in attr", text: "[hosts.a]\nattr = ▸\"a\\u0007\"", message: `host "a": attr "a\a" is not a valid attribute name`, hint: `quotes, backslashes, '$' and spaces are not allowed`},
		{name: "home without an owner", text: "[hosts.▸imac0]\nkind = \"home\"", message: `host "imac0" is a home without an owner`, hint: `set attr = "USER@imac0"`},
		{name: "home attr without user", text: "[hosts.imac0]\nkind = \"home\"\nattr = ▸\"imac0\"", message: `host "imac0": attr of a home must be USER@HOST, not "imac0"`, hint: `write "USER@imac0"`},
		{name: "home attr without a host", text: "[hosts.imac0]\nkind = \"home\"\nattr = ▸\"mba@\"", message: `host "imac0": attr of a home must be USER@HOST, not "mba@"`, hint: `write "mba@imac0"`},
		{name: "home attr with an empty user", text: "[hosts.imac0]\nkind = \"home\"\nuser = \"mba\"\nattr = ▸\"@imac0\"", message: `host "imac0": attr of a home must be USER@HOST, not "@imac0"`, hint: `write "mba@imac0"`},
		{name: "home of another user", text: "[hosts.imac0]\nkind = \"home\"\nuser = \"mba\"\nattr = ▸\"markus@imac0\"", message: `host "imac0": attr "markus@imac0" is the home of "markus", but user is "mba"`, hint: `a home is activated by its owner: set user = "markus"`},

		// Connection.
		{name: "IP address out of range", text: "[hosts.a]\naddress = ▸\"192.168.1.299\"", message: `host "a": address "192.168.1.299" is not a valid IP address`, hint: `remove it to use the address from ~/.ssh/config`},
		{name: "address with everything", text: "[hosts.a]\naddress = ▸\"ssh://mba@10.0.0.1:2222\"", message: `host "a": address "ssh://mba@10.0.0.1:2222" is not a valid host name or IP address`, hint: `write address = "10.0.0.1", port = 2222, user = "mba"`},
		{name: "address with a port", text: "[hosts.a]\naddress = ▸\"web.lan:2222\"", message: `host "a": address "web.lan:2222" is not a valid host name or IP address`, hint: `write address = "web.lan", port = 2222`},
		{name: "IPv6 in brackets", text: "[hosts.a]\naddress = ▸\"[fd00::1]\"", message: `host "a": address "[fd00::1]" is not a valid host name or IP address`, hint: `write address = "fd00::1"`},
		{name: "address like an option", text: "[hosts.a]\naddress = ▸\"-oProxyCommand=x\"", message: `host "a": address "-oProxyCommand=x" is not a valid host name or IP address`, hint: `remove it to use the address from ~/.ssh/config`},
		{name: "address with two dots in a row", text: "[hosts.a]\naddress = ▸\"web..lan\"", message: `host "a": address "web..lan" is not a valid host name`, hint: `it has two dots in a row`},
		{name: "long address", text: "[hosts.a]\naddress = ▸\"" + strings.Repeat("a", 254) + "\"", message: `host "a": address must not be longer than 253 characters`},
		{name: "user and address", text: "[hosts.a]\naddress = ▸\"mba@web.lan\"", message: `host "a": address "mba@web.lan" is not a valid host name or IP address`, hint: `write address = "web.lan", user = "mba"`},
		{name: "empty address", text: "[hosts.a]\naddress = ▸\"\"", message: `host "a": address must not be empty`, hint: `remove it, or give it a value`},
		{name: "port out of range", text: "[hosts.a]\nport = ▸70000", message: `host "a": port must be from 1 to 65535, not 70000`},
		{name: "overflowing port", text: "[hosts.a]\nport = ▸99999999999999999999", message: `host "a": port must be from 1 to 65535, not 99999999999999999999`},
		{name: "port in quotes", text: "[hosts.a]\nport = ▸\"22\"", message: `host "a": port must be a whole number, not the string "22"`, hint: `write 22 without quotes`},
		{name: "port with a fraction", text: "[hosts.a]\nport = ▸22.0", message: `host "a": port must be a whole number, not the number 22.0`},
		{name: "user like an option", text: "[hosts.a]\nuser = ▸\"-x\"", message: `host "a": user "-x" is not a valid login name`, hint: `a login name contains letters, digits, '.', '_' and '-'`},
		{name: "user of another type", text: "[hosts.a]\nuser = ▸1000", message: `host "a": user must be a string, not the number 1000`, hint: `write "1000"`},
		{name: "same address", text: "[hosts.a]\naddress = \"10.0.0.1\"\n[hosts.b]\naddress = ▸\"10.0.0.1\"", message: `host "b" is the same target as "a"`, hint: `both deploy the system on 10.0.0.1: fix an address, remove it to use ~/.ssh/config, or remove a host`},
		{name: "same address spelled differently", text: "[hosts.a]\naddress = \"FD00::1\"\n[hosts.b]\naddress = ▸\"fd00:0::1\"", message: `host "b" is the same target as "a"`, hint: `both deploy the system on fd00::1: fix an address, remove it to use ~/.ssh/config, or remove a host`},
		{name: "name that is the address of another host", text: "[hosts.a]\naddress = \"b\"\n[hosts.▸b]", message: `host "b" is the same target as "a"`, hint: `both deploy the system on b: fix an address, remove it to use ~/.ssh/config, or remove a host`},
		{name: "address that is the name of another host", text: "[hosts.a]\n[hosts.b]\naddress = ▸\"A.\"", message: `host "b" is the same target as "a"`, hint: `both deploy the system on a: fix an address, remove it to use ~/.ssh/config, or remove a host`},
		{name: "same home", text: "[hosts.a]\nkind = \"home\"\nattr = \"m@a\"\n[hosts.b]\nkind = \"home\"\nattr = \"m@b\"\naddress = ▸\"a\"", message: `host "b" is the same target as "a"`, hint: `both deploy the home of "m" on a: fix an address, remove it to use ~/.ssh/config, or remove a host`},
		{name: "address and addresses", text: "[hosts.a]\naddress = \"10.0.0.1\"\n▸addresses = [\"10.0.0.1\", \"a.vpn\"]", message: `host "a" has both address and addresses`, hint: `list all of its addresses in addresses, and remove address`},
		{name: "no addresses", text: "[hosts.a]\n▸addresses = []", message: `host "a": addresses must not be empty`, hint: `remove it to use the address from ~/.ssh/config`},
		{name: "same first address", text: "[hosts.a]\naddresses = [\"10.0.0.1\", \"a.vpn\"]\n[hosts.b]\n▸addresses = [\"10.0.0.1\", \"b.vpn\"]", message: `host "b" is the same target as "a"`, hint: `both deploy the system on 10.0.0.1: fix an address, remove it to use ~/.ssh/config, or remove a host`},
		{name: "unknown way to connect", text: "[hosts.a]\nconnect = ▸\"locale\"", message: `host "a": connect must be "auto", "ssh" or "local", not the string "locale"`, hint: `did you mean "local"?`},

		// Deploy settings.
		{name: "wave zero", text: "[hosts.a]\nwave = ▸0", message: `host "a": wave must be from 1 to 1000, not 0`},
		{name: "parallel zero", complete: true, text: "[defaults]\nkind = \"nixos\"\nrepo = \"/x\"\nparallel = ▸0\n[hosts.a]", message: `[defaults]: parallel must be from 1 to 10000, not 0`},
		{name: "color name", text: "[hosts.a]\ncolor = ▸\"red\"", message: `host "a": color "red" is not a valid color`, hint: `use "#rrggbb", for example "#d4c060"`},
		{name: "short color", text: "[hosts.a]\ncolor = ▸\"#fa0\"", message: `host "a": color "#fa0" is not a valid color`, hint: `write "#ffaa00"`},
		{name: "color without a hash sign", text: "[hosts.a]\ncolor = ▸\"d4c060\"", message: `host "a": color "d4c060" is not a valid color`, hint: `write "#d4c060"`},
		{name: "duration as a number", text: "[hosts.a]\ntimeouts.build = ▸90", message: `host "a": timeouts.build must be a string, not the number 90`, hint: `add a unit: "90s", "90m" or "90h"`},
		{name: "duration without a unit", text: "[hosts.a]\ntimeouts.build = ▸\"90\"", message: `host "a": timeouts.build "90" is not a valid duration`, hint: `add a unit: "90s", "90m" or "90h"`},
		{name: "negative duration", text: "[hosts.a]\ntimeouts.build = ▸\"-1m\"", message: `host "a": timeouts.build "-1m" is not a valid duration`, hint: `for example "90s", "15m" or "1h30m"`},
		{name: "zero duration", text: "[hosts.a]\ntimeouts.build = ▸\"0s\"", message: `host "a": timeouts.build must be from 1s to 168h, not "0s"`},
		{name: "overflowing duration", text: "[hosts.a]\ntimeouts.build = ▸\"99999999999999999999h\"", message: `host "a": timeouts.build must be from 1s to 168h, not "99999999999999999999h"`},
		{name: "blank switch_command", text: "[hosts.a]\nswitch_command = ▸\"  \"", message: `host "a": switch_command must not be blank`, hint: `remove it, or give it a value`},
		{name: "escape sequence in switch_command", text: "[hosts.a]\nswitch_command = ▸\"a\\u001b[2J\"", message: `host "a": switch_command "a\x1b[2J" is not a valid shell command`, hint: `control characters are not allowed`},
		{name: "bidirectional control character", text: "[hosts.a]\nswitch_command = ▸\"a\\u202eb\"", message: `host "a": switch_command "a\u202eb" is not a valid shell command`, hint: `control characters are not allowed`},
		{name: "empty health check", text: "[hosts.a]\nhealth = [\"true\", ▸\"\"]", message: `host "a": health must not be empty`, hint: `remove it, or give it a value`},
		{name: "health check on two lines", text: "[hosts.a]\nhealth = [▸\"a\\nb\"]", message: `host "a": health "a\nb" is not a valid health check`, hint: `control characters and line breaks are not allowed`},
		{name: "tcp check without a port", text: "[hosts.a]\nhealth = [▸\"tcp://10.0.0.1\"]", message: `host "a": health "tcp://10.0.0.1" is not tcp://HOST:PORT`, hint: `for example "tcp://192.168.1.99:53" or "tcp://[fd00::1]:53"`},
		{name: "tcp check with a bad port", text: "[hosts.a]\nhealth = [▸\"tcp://a:65536\"]", message: `host "a": health "tcp://a:65536" is not tcp://HOST:PORT`, hint: `for example "tcp://192.168.1.99:53" or "tcp://[fd00::1]:53"`},
		{name: "http check without a host", text: "[hosts.a]\nhealth = [▸\"http:///x\"]", message: `host "a": health "http:///x" is not a valid URL`, hint: `for example "https://localhost:8443/health"`},
		{name: "misspelled scheme", text: "[hosts.a]\nhealth = [▸\"htps://a\"]", message: `host "a": health has an unknown scheme "htps://"`, hint: `did you mean "https"?`},
		{name: "check with an invalid from", text: "[hosts.a]\nhealth = [{ check = \"true\", from = ▸\"here\" }]", message: `host "a": health from must be "host" or "operator", not the string "here"`},
		{name: "check without a command or URL", text: "[hosts.a]\nhealth = [▸{ from = \"host\" }]", message: `host "a": health has no key "check"`, hint: `for example { check = "https://example.com/", from = "operator" }`},
		{name: "status of a command", text: "[hosts.a]\nhealth = [{ check = \"true\", status = ▸200 }]", message: `host "a": health has a status, but "true" is not an HTTP URL`, hint: `remove status`},
		{name: "unknown key of a check", text: "[hosts.a]\nhealth = [{ check = \"true\", ▸form = \"host\" }]", message: `host "a": health has an unknown key "form"`, hint: `did you mean "from"?`},
		{name: "check in an array of tables", text: "[hosts.a]\n[[hosts.a.health]]\ncheck = \"true\"\n[[hosts.a.health]]\ncheck = ▸\"tcp://a\"", message: `host "a": health check "tcp://a" is not tcp://HOST:PORT`, hint: `for example "tcp://192.168.1.99:53" or "tcp://[fd00::1]:53"`},
		{name: "table in a check in an array of tables", text: "[hosts.a]\n[[hosts.a.health]]\ncheck = \"true\"\n[hosts.a.health.▸x]\ny = 1", message: `host "a": health has an unknown key "x"`, hint: `write a string, or a table such as { check = "https://example.com/", from = "operator", status = 401 }`},
		{name: "unknown scheme", text: "[hosts.a]\nhealth = [▸\"ftp://a\"]", message: `host "a": health has an unknown scheme "ftp://"`, hint: `use tcp://HOST:PORT, http://..., https://... or a shell command`},

		// The fleet.
		{name: "empty fleet name", text: "[fleet]\nname = ▸\"\"\n[hosts.a]", message: `[fleet]: name must not be empty`, hint: `remove it, or give it a value`},
		{name: "remote that is not a URL", text: "[fleet]\nremote = ▸\"nixcfg\"\n[hosts.a]", message: `[fleet]: remote "nixcfg" is not a valid Git remote`, hint: `for example "git@github.com:you/nixcfg.git" or "https://github.com/you/nixcfg"`},
		{name: "remote that runs a command", text: "[fleet]\nremote = ▸\"ext::sh -c id\"\n[hosts.a]", message: `[fleet]: remote "ext::sh -c id" is not a valid Git remote`, hint: `for example "git@github.com:you/nixcfg.git" or "https://github.com/you/nixcfg"`},
		{name: "remote like an option", text: "[fleet]\nremote = ▸\"--upload-pack=x:y\"\n[hosts.a]", message: `[fleet]: remote "--upload-pack=x:y" is not a valid Git remote`, hint: `for example "git@github.com:you/nixcfg.git" or "https://github.com/you/nixcfg"`},
		{name: "token in remote", text: "[fleet]\nremote = ▸\"https://ghp_0123456789abcdefghij@github.com/me/x\"\n[hosts.a]", message: `[fleet]: remote must not contain an access token`, hint: `every host and every reader of this file would see it: use an SSH key or a Git credential helper`},
		{name: "password in remote", text: "[fleet]\nremote = ▸\"https://me:secret@github.com/me/x\"\n[hosts.a]", message: `[fleet]: remote must not contain a password`, hint: `every host and every reader of this file would see it: use an SSH key or a Git credential helper`},
		{name: "signatures without keys", text: "[fleet]\nrequire_signed = ▸true\n[hosts.a]", message: `require_signed needs the keys that may sign commits`, hint: `name a file with them in [fleet]: allowed_signers = "allowed_signers"`},
		{name: "keys without signatures", text: "[fleet]\nallowed_signers = ▸\"keys\"\n[hosts.a]", message: `allowed_signers has no effect without require_signed`, hint: `set require_signed = true in [fleet]`},
		{name: "word as a flag", text: "[fleet]\nrequire_signed = ▸\"true\"\n[hosts.a]", message: `[fleet]: require_signed must be true or false, not the string "true"`, hint: `write true without quotes`},
		{name: "remote without a host", text: "[fleet]\nremote = ▸\"https:///x\"\n[hosts.a]", message: `[fleet]: remote "https:///x" has no host`, hint: `for example "git@github.com:you/nixcfg.git" or "https://github.com/you/nixcfg"`},
		{name: "branch like an option", text: "[fleet]\nbranch = ▸\"-x\"\n[hosts.a]", message: `[fleet]: branch "-x" is not a valid branch name`, hint: `for example "main"`},
		{name: "branch with two dots", text: "[fleet]\nbranch = ▸\"a..b\"\n[hosts.a]", message: `[fleet]: branch "a..b" is not a valid branch name`, hint: `a branch name cannot contain ".."`},
		{name: "branch like a lock file", text: "[fleet]\nbranch = ▸\"a.lock\"\n[hosts.a]", message: `[fleet]: branch "a.lock" is not a valid branch name`, hint: `a branch name cannot end in ".lock"`},
		{name: "full ref", text: "[fleet]\nbranch = ▸\"refs/heads/main\"\n[hosts.a]", message: `[fleet]: branch "refs/heads/main" is a full ref, not a branch name`, hint: `write "main"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, line, column := cutMark(t, tt.text)
			if !tt.complete {
				text += commonDefaults
			}
			_, findings := Parse("hosts.toml", []byte(text))
			// The messages are the TOML parser's own, and what follows may be lost.
			if tt.name == "unterminated string" || tt.name == "unterminated list" {
				if len(findings) == 0 || findings[0].Line != line || findings[0].Message == "" {
					t.Fatalf("got %v, want a finding on line %d", findings, line)
				}
				return
			}
			want := Finding{File: "hosts.toml", Line: line, Column: column, Message: tt.message, Hint: tt.hint}
			if len(findings) != 1 || findings[0] != want {
				t.Errorf("got:\n%v\nwant:\n%v", Findings(findings), want)
			}
		})
	}
}

func TestParseReportsAllProblemsAtOnce(t *testing.T) {
	_, findings := Parse("hosts.toml", []byte(`
[fleet]
brnach = "main"
[defaults]
kind = "nixso"
parallel = 0
[hosts.a]
color = "red"
tags = ["x", "", "y z"]
[hosts.b]
user = mba
port = 0
[hosts.c]
port = 0
[hosts."d e"]
wave = "2"
`))
	var got []string
	for _, f := range findings {
		got = append(got, fmt.Sprintf("%d:%d", f.Line, f.Column))
	}
	// The rest of b cannot be read after its syntax error. No host has a repo, which is not
	// reported because the part that could not be read may set it.
	want := []string{"3:1", "5:8", "6:12", "8:9", "9:14", "9:18", "11:8", "14:8", "15:8", "16:8"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got findings at %v, want %v:\n%v", got, want, Findings(findings))
	}
}

func TestFindingsUseCompilerFormat(t *testing.T) {
	_, findings := Parse("hosts.toml", []byte("[hosts.a]\ntgas = []\n"+commonDefaults))
	want := "hosts.toml:2:1: unknown key \"tgas\" in host \"a\"\n  hint: did you mean \"tags\"?"
	if got := Findings(findings).Error(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestParseContinuesAfterAnInvalidTable(t *testing.T) {
	_, findings := Parse("hosts.toml", []byte("defaults = 3\nnotify = 4\n[hosts.a]\nkind = \"nixos\""))
	want := `hosts.toml:1:1: defaults must be a table, not the number 3
  hint: write [defaults]
hosts.toml:2:1: notify must be a table, not the number 4
  hint: write [notify]
hosts.toml:3:8: host "a" has no repo
  hint: set the path of its checkout, here or in [defaults]: repo = "~/Code/nixcfg"`
	if got := Findings(findings).Error(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestParseContinuesAtTheNextTableAfterASyntaxError(t *testing.T) {
	inv, findings := Parse("hosts.toml", []byte("[hosts.a]\nuser = mba\nwave = 0\n\n [ hosts.b ]\nwave = 0\nx y\n[[hosts.c]]\n"))
	var got []string
	for _, f := range findings {
		got = append(got, fmt.Sprintf("%d:%d", f.Line, f.Column))
	}
	if want := []string{"2:8", "6:8", "7:3", "8:9"}; !reflect.DeepEqual(got, want) || len(inv.Hosts) != 2 {
		t.Errorf("got %v, want %v:\n%v", got, want, Findings(findings))
	}
}

func TestParseAppliesDefaults(t *testing.T) {
	inv, findings := Parse("hosts.toml", []byte(`
[fleet]
name = "barta"
remote = "git@github.com:you/nixcfg.git"
branch = "trunk"

[defaults]
kind = "nixos"
user = "mba"
port = 2222
repo = "~/nixcfg"
offline = "skip"
parallel = 0x10
health = ["true"]
wave = 2
[defaults.timeouts]
build = "90m"
pull = "1m30s"

[hosts.plain]

[hosts."own.example.com"]
kind = "darwin"
address = "10.0.0.1"
user = "root"
port = 22
tags = ["a", "b"]
wave = 1
color = "#a0B1c2"
attr = "own"
flake_dir = "nix/hosts"
repo_mode = "managed"
offline = "fail"
health = []
switch_command = """
one \
two
three"""
timeouts = { pull = "2m" }
max_log = "512KiB"

[hosts.house]
kind = "home"

[notify]
command = "mail -s deployed me"
url = "https://ntfy.example.com/fleet"
on = "failure"
timeout = "3s"
`))
	if findings != nil {
		t.Fatal(Findings(findings))
	}
	timeouts := DefaultTimeouts()
	timeouts.Build, timeouts.Pull = 90*time.Minute, 90*time.Second
	plain := Host{Name: "plain", Kind: NixOS, Connect: ConnectAuto, User: "mba", Port: 2222, Wave: 2, Attr: "plain", Repo: "~/nixcfg", SkipOffline: true,
		Health: []Check{{What: "true"}}, Sudo: "auto", Timeouts: timeouts, MaxLog: DefaultMaxLog, line: 20, column: 8}
	house := plain
	house.Name, house.Kind, house.Attr, house.line = "house", Home, "mba@house", 42
	timeouts.Pull = 2 * time.Minute
	own := Host{Name: "own.example.com", Kind: Darwin, Connect: ConnectAuto, Address: "10.0.0.1", User: "root", Port: 22, Tags: []string{"a", "b"}, Wave: 1,
		Color: "#a0B1c2", Attr: "own", Repo: "~/nixcfg", FlakeDir: "nix/hosts", Managed: true, Health: []Check{}, SwitchCommand: "one two\nthree",
		Sudo: "auto", Timeouts: timeouts, MaxLog: 512 << 10, line: 22, column: 8}
	want := &Inventory{Path: "hosts.toml", Name: "barta", Remote: "git@github.com:you/nixcfg.git", Branch: "trunk", Parallel: 16,
		Hosts:  []*Host{&plain, &own, &house},
		Notify: Notify{Command: "mail -s deployed me", URL: "https://ntfy.example.com/fleet", OnFailure: true, Timeout: 3 * time.Second}}
	if !reflect.DeepEqual(inv, want) {
		t.Errorf("got  %+v", inv)
		for i, h := range inv.Hosts {
			t.Errorf("got  %+v\nwant %+v", *h, *want.Hosts[i])
		}
	}
}

func TestParseAcceptsValidInventories(t *testing.T) {
	for _, text := range []string{
		// Two hosts behind one router.
		"[hosts.a]\naddress = \"10.0.0.1\"\n[hosts.b]\naddress = \"10.0.0.1\"\nport = 2222",
		// A machine, and a home on it.
		"[hosts.a]\n[hosts.m]\nkind = \"home\"\nattr = \"m@a\"\naddress = \"a\"",
		"[hosts.a]\nkind = \"home\"\nattr = \"m@a\"\n[hosts.b]\nkind = \"home\"\nattr = \"n@a\"\naddress = \"a\"",
		"[hosts.a]\naddress = \"fe80::1%en0\"",
		"[hosts.a]\nhealth = [\"systemctl is-active x\", \"tcp://[fd00::1]:53\", \"https://localhost/x?y=z\", \"curl -f ftp://x\"]",
		"[hosts.a.timeouts]\npull = \"1h30m\"\n[hosts.a]\nwave = 1", // inner table first
		"hosts.a.wave = 1\nhosts.a.tags = [\"x\",\n # why\n \"y\",\n]",
		"[fleet]\nremote = \"ssh://git@example.com:2222/~/nixcfg\"\nbranch = \"feature/x\"\n[hosts.a]",
		"[fleet]\nremote = \"/srv/git/nixcfg\"\n[hosts.a]\nrepo_mode = \"managed\"",
		"[fleet]\nremote = \"host:nixcfg\"\n[hosts.a]",
		"[fleet]\nremote = \"file:///srv/git\"\n[hosts.a]",
		"[hosts.a]\naddress = \"" + strings.Repeat("a", 253) + "\"",
		"[hosts.a]\nhealth = [\"tcp://a:1\", \"tcp://a:65535\"]",
	} {
		if _, findings := Parse("hosts.toml", []byte(text+commonDefaults)); findings != nil {
			t.Errorf("%s\n%v", text, Findings(findings))
		}
	}
}

func TestParseAddsNixOptionsToDefaults(t *testing.T) {
	inv, findings := Parse("hosts.toml", []byte(`
[defaults]
kind = "nixos"
repo = "/x"
build_args = ["--impure", "-j", "2"]
[defaults.nix_options]
fallback = true
substituters = ["https://a", "https://b"]
[hosts.a]
nix_options = { fallback = false, cores = 1_0 }
[hosts.b]
build_args = ["--override-input", "dep", "path:/x"]
`))
	if findings != nil {
		t.Fatal(Findings(findings))
	}
	for name, want := range map[string]string{
		"a": "--option substituters https://a https://b --option fallback false --option cores 10 --option max-jobs 2 --impure",
		"b": "--option fallback true --option substituters https://a https://b --override-input dep path:/x",
	} {
		if got := strings.Join(inv.Host(name).NixArgs().CommandLine(), " "); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestParseHealthChecks(t *testing.T) {
	const inline = `health = ["true", { check = "https://a.example/", from = "operator", status = 401 }, { check = "tcp://a:53", from = "host" }]`
	const tables = "[[hosts.a.health]]\ncheck = \"true\"\n[[hosts.a.health]]\ncheck = \"https://a.example/\"\nfrom = \"operator\"\nstatus = 401\n[[hosts.a.health]]\ncheck = \"tcp://a:53\"\n"
	want := []Check{{What: "true"}, {What: "https://a.example/", Operator: true, Status: 401}, {What: "tcp://a:53"}}
	for _, text := range []string{inline, tables} {
		inv, findings := Parse("hosts.toml", []byte("[hosts.a]\nkind = \"nixos\"\nrepo = \"/x\"\n"+text))
		if findings != nil || !reflect.DeepEqual(inv.Hosts[0].Health, want) {
			t.Errorf("%s\n%+v %v", text, inv.Hosts[0].Health, Findings(findings))
		}
	}
	text, err := json.Marshal(want)
	if err != nil || string(text) != `["true",{"check":"https://a.example/","from":"operator","status":401},"tcp://a:53"]` {
		t.Errorf("%s %v", text, err)
	}
}

func TestParseShippedInventory(t *testing.T) {
	inv, findings, err := Load("../../hosts.toml")
	if err != nil || findings != nil {
		t.Fatal(err, Findings(findings))
	}
	var got []string
	for _, h := range inv.Hosts {
		got = append(got, fmt.Sprintf("%d %s %s %v", h.Wave, h.Kind, h.Attr, h.SkipOffline))
	}
	want := []string{
		"1 nixos hsb1 false", "1 nixos hsb8 false", "1 nixos csb1 false", "1 nixos gpc0 false", "2 nixos hsb0 false", "3 nixos csb0 false",
		"1 home markus@imac0 true", "1 home markus@mba-imac-work true", "1 home mba@mba-mbp-work true",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func FuzzParse(f *testing.F) {
	if shipped, err := os.ReadFile("../../hosts.toml"); err == nil {
		f.Add(shipped)
	}
	f.Add([]byte("[hosts.a]\nkind = nixos\n[hosts.a]\r\ntags = [\"x\"\n[defaults]\ntimeouts = { build = \"1h\" }"))
	f.Add([]byte("\xef\xbb\xbf[[hosts.a]]\nx.y.z = 1979-05-27T07:32:00Z\nx = '''\n"))
	f.Add([]byte("hosts = { \"\xff\" = {}, a.b = [[], {}, nan] }\nhosts.a = 1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		before := string(text)
		inv, findings := Parse("hosts.toml", text)
		if string(text) != before {
			t.Fatal("Parse changed its input")
		}
		lines := strings.Split(before, "\n")
		for _, f := range findings {
			if f.Line < 1 || f.Line > len(lines) || f.Column < 1 || f.Column > len(lines[f.Line-1])+1 {
				t.Fatalf("%v is outside the file", f)
			}
			if strings.ContainsFunc(f.Message+f.Hint, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("%q contains control characters", f)
			}
		}
		if findings != nil {
			return
		}
		names := make(map[string]bool)
		for _, h := range inv.Hosts {
			if names[h.Name] || h.Kind == "" || h.Attr == "" || h.Repo == "" && !h.Managed || h.Wave < 1 || h.line < 1 {
				t.Fatalf("%+v was accepted", *h)
			}
			names[h.Name] = true
			if got, err := inv.Select(h.Name); err != nil || len(got) != 1 || got[0] != h {
				t.Fatalf("%q does not select that host: %v, %v", h.Name, got, err)
			}
		}
	})
}

func largeFleet(hosts int) []byte {
	var b strings.Builder
	b.WriteString("[fleet]\nname = \"large\"\n[defaults]\nkind = \"nixos\"\nrepo = \"~/nixcfg\"\n")
	for i := range hosts {
		fmt.Fprintf(&b, "\n[hosts.host%05d]\naddress = \"10.%d.%d.%d\"\nuser = \"mba\"\ntags = [\"server\", \"rack%d\"]\nwave = %d\ncolor = \"#d4c060\"\nhealth = [\"tcp://localhost:22\"]\n",
			i, i>>16, i>>8&255, i&255, i%100, 1+i%5)
	}
	return []byte(b.String())
}

func BenchmarkParse10000Hosts(b *testing.B) {
	text := largeFleet(10000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, findings := Parse("hosts.toml", text); findings != nil {
			b.Fatal(findings[0])
		}
	}
}

func TestHostOverridesFlakeDirWithRoot(t *testing.T) {
	inv, findings := Parse("hosts.toml", []byte("[defaults]\nkind = \"nixos\"\nrepo = \"~/c\"\nflake_dir = \"nix\"\n[hosts.a]\n[hosts.b]\nflake_dir = \".\""))
	if len(findings) > 0 || inv.Host("a").FlakeDir != "nix" || inv.Host("b").FlakeDir != "" {
		t.Errorf("%v, %+v, %+v", findings, inv.Host("a"), inv.Host("b"))
	}
}

func TestConnectTimeoutKnowsWhetherItIsSet(t *testing.T) {
	for text, want := range map[string]bool{
		"[hosts.web]\n":                                         false,
		"[hosts.web]\ntimeouts.build = \"9m\"\n":                false,
		"[hosts.web]\ntimeouts.connect = \"15s\"\n":             true,
		"[defaults]\ntimeouts.connect = \"15s\"\n[hosts.web]\n": true,
	} {
		inv, _ := Parse("hosts.toml", []byte(text))
		if h := inv.Host("web"); h == nil || h.Timeouts.ConnectSet != want || h.Timeouts.Connect != 15*time.Second {
			t.Errorf("%q: %+v", text, h)
		}
	}
}
