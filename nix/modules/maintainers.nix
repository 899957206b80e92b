# The module systems accept only maintainers in the list of nixpkgs.
{ lib, ... }:
{
  meta.maintainers = lib.optional (lib.maintainers ? markus-barta) lib.maintainers.markus-barta;
}
