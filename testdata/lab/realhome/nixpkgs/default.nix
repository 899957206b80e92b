# The part of nixpkgs that home-manager's modules import by path.
_: import ../packages.nix { lib = import ../lib; }
