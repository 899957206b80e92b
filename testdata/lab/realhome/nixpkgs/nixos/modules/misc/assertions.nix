# The options of nixpkgs' file of this name.
{ lib, ... }:
{
  options = lib.genAttrs [ "assertions" "warnings" ] (
    _:
    lib.mkOption {
      type = lib.types.listOf lib.types.raw;
      default = [ ];
    }
  );
}
