# The agent's command line. It has flags only for options that differ from their defaults, which are
# the command's own defaults.
{
  lib,
  cfg,
  options, # the declared options, for their defaults
}:
let
  flag =
    name: path: unit:
    let
      value = lib.getAttrFromPath path cfg;
    in
    # Some options exist only on some kinds of hosts.
    lib.optionals
      (lib.hasAttrByPath path options && value != (lib.getAttrFromPath path options).default)
      [
        name
        "${toString value}${unit}"
      ];
  flags =
    flag "--max-connections" [ "limits" "connections" ] ""
    ++ flag "--max-requests" [ "limits" "requests" ] ""
    ++ flag "--max-header" [ "limits" "headerBytes" ] ""
    ++ flag "--min-interval" [ "limits" "minInterval" ] "s"
    ++ flag "--max-interval" [ "limits" "maxInterval" ] "s"
    ++ flag "--idle" [ "idle" ] "s";

  # The bytes that request headers may take of the agent's limit of 30 MB.
  headerBudget = 2 * 1024 * 1024;
in
{
  inherit flags;
  words = [
    (lib.getExe cfg.package)
    "agent"
  ]
  ++ flags;

  assertions = [
    {
      assertion = cfg.limits.minInterval <= cfg.limits.maxInterval;
      message = ''
        services.fleetctl-agent.limits.minInterval is ${toString cfg.limits.minInterval}, but must be at most maxInterval,
        which is ${toString cfg.limits.maxInterval}.
      '';
    }
    {
      assertion = cfg.limits.connections * cfg.limits.headerBytes <= headerBudget;
      message = ''
        services.fleetctl-agent.limits: connections (${toString cfg.limits.connections}) times headerBytes
        (${toString cfg.limits.headerBytes}) must be at most ${toString headerBudget}, since the agent's memory is limited to
        30 MB.
      '';
    }
  ];
}
