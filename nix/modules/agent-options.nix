# The options of services.fleetctl-agent that exist on every kind of host.
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
  enable = lib.mkEnableOption "the agent that serves this host's health to `fleetctl`. It is read-only and opens no port";

  package = import ./package-option.nix { inherit lib pkgs; };

  limits = {
    connections = limit 32 2 256 ''
      Maximum number of open connections. More wait in the socket's queue. At most half of them may be watches.
      Multiplied by {option}`headerBytes`, this must be at most 2 MiB.
    '';
    requests = limit 50 1 10000 ''
      Maximum number of requests per second, over all connections. More are answered with status 429.
    '';
    headerBytes = limit 8192 8192 1048576 ''
      Maximum size of a request line and its header, in bytes.
    '';
    minInterval = limit 1 1 3600 ''
      Minimum interval of a watch, in seconds.
    '';
    maxInterval = limit 3600 1 86400 ''
      Maximum interval of a watch, in seconds. Must not be less than {option}`minInterval`.
    '';
  };
}
