# The options of nixpkgs' file of this name, which nothing here reads.
{ lib, ... }:
{
  options.meta =
    lib.genAttrs
      [
        "buildDocsInSandbox"
        "doc"
        "maintainers"
        "teams"
      ]
      (
        _:
        lib.mkOption {
          type = lib.types.raw // {
            merge = _: map (definition: definition.value);
          };
          default = [ ];
        }
      );
}
