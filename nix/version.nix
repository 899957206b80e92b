# The current or next version and its release date, from ../cli/cmd_version.go.
let
  text = builtins.readFile ../cli/cmd_version.go;
  constant = name: builtins.head (builtins.match ".*const ${name} = \"([^\"]+)\".*" text);
in
{
  release = constant "release";
  releasedOn = constant "releaseDate";
}
