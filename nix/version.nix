# The version that is, or comes next, and its day: from the only place that has them.
let
  text = builtins.readFile ../cli/version.go;
  said = name: builtins.head (builtins.match ".*const ${name} = \"([^\"]+)\".*" text);
in
{
  release = said "release";
  releasedOn = said "releasedOn";
}
