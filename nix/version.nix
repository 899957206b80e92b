# The version, from the only place that has it.
builtins.head (
  builtins.match ".*const release = \"([^\"]+)\".*" (builtins.readFile ../cli/version.go)
)
