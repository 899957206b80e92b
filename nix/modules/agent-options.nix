# The options of services.fleetctl-agent that every kind of host has.
{ lib, pkgs }:
let
  inherit (lib) mkOption types;

  limit =
    default: low: high: description:
    mkOption {
      type = types.ints.between low high;
      inherit default description;
      example = 2 * default;
    };
in
{
  enable = lib.mkEnableOption "the agent that tells `fleetctl` how this host fares. It only reads, and has no port";

  package = import ./package-option.nix { inherit lib pkgs; };

  limits = {
    connections = limit 32 2 256 ''
      How many may be connected at once. More wait in the socket's queue. Half of them may watch. Their number times
      {option}`headerBytes` may be 2 MiB at most.
    '';
    requests = limit 50 1 10000 ''
      How many requests a second are answered, of all connections together. More are refused with status 429.
    '';
    headerBytes = limit 8192 8192 1048576 ''
      How many bytes a request's line and header may have.
    '';
    minInterval = limit 1 1 3600 ''
      The shortest interval of a watch, in seconds.
    '';
    maxInterval = limit 3600 1 86400 ''
      The longest interval of a watch, in seconds. It may not be shorter than {option}`minInterval`.
    '';
  };
}
