# The agent's command line, of the options of services.fleetctl-agent: what is not at its default, since the defaults are the
# command's own.
{
  lib,
  cfg,
  options, # as the module system has them, with their defaults
}:
let
  flag =
    name: path: unit:
    let
      value = lib.getAttrFromPath path cfg;
    in
    # Not every kind of host has every option.
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

  # What headers may take of the 30 MB that the agent has for all it does.
  headerRoom = 2 * 1024 * 1024;
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
        services.fleetctl-agent.limits.minInterval (${toString cfg.limits.minInterval}) is longer than
        maxInterval (${toString cfg.limits.maxInterval}): no watch could have an interval.
      '';
    }
    {
      assertion = cfg.limits.connections * cfg.limits.headerBytes <= headerRoom;
      message = ''
        services.fleetctl-agent.limits has ${toString cfg.limits.connections} connections with headers of
        ${toString cfg.limits.headerBytes} bytes: together they may have ${toString headerRoom} bytes, since the agent has
        30 MB for all it does.
      '';
    }
  ];
}
