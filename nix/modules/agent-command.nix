# The agent's command line, of the options of services.fleetctl-agent: what differs from the command's own defaults.
{ lib, cfg }:
let
  flags =
    lib.optionals (cfg.limits.connections != 32) [
      "--max-connections"
      (toString cfg.limits.connections)
    ]
    ++ lib.optionals (cfg.limits.requests != 50) [
      "--max-requests"
      (toString cfg.limits.requests)
    ]
    ++ lib.optionals (cfg.limits.headerBytes != 8192) [
      "--max-header"
      (toString cfg.limits.headerBytes)
    ]
    ++ lib.optionals (cfg.limits.minInterval != 1) [
      "--min-interval"
      "${toString cfg.limits.minInterval}s"
    ]
    ++ lib.optionals (cfg.limits.maxInterval != 3600) [
      "--max-interval"
      "${toString cfg.limits.maxInterval}s"
    ]
    ++ lib.optionals (cfg ? idle && cfg.idle != 30) [
      "--idle"
      "${toString cfg.idle}s"
    ];
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
  ];
}
