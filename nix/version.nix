# The current or next version and its release date, from ../cli/version.go.
let
  text = builtins.readFile ../cli/version.go;
  constant = name: builtins.head (builtins.match ".*const ${name} = \"([^\"]+)\".*" text);
in
{
  release = constant "release";
  releasedOn = constant "releasedOn";
}
