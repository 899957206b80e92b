# The options of programs.fleetctl, the inventory that they come to, and what is wrong with them.
{
  lib,
  pkgs,
  cfg,
}:
let
  inherit (lib) mkOption types literalExpression;
  toml = pkgs.formats.toml { };

  generated = pkgs.runCommand "hosts.toml" { inventory = toml.generate "hosts.toml" cfg.settings; } ''
    ${lib.getExe cfg.package} check "$inventory"
    cp "$inventory" "$out"
  '';
  lax = builtins.match ".*[Ss]trict[Hh]ost[Kk]ey[Cc]hecking[[:space:]=]+\"?(no|off|accept-new).*";
in
{
  options = {
    enable = lib.mkEnableOption "`fleetctl`, the command that deploys NixOS and macOS hosts over SSH";

    package = lib.mkPackageOption pkgs "fleetctl" { };

    settings = mkOption {
      inherit (toml) type;
      default = { };
      example = literalExpression ''
        {
          fleet.name = "barta";
          fleet.remote = "git@github.com:markus-barta/nixcfg.git";
          defaults.repo = "~/Code/nixcfg";
          hosts = inputs.nixfleet.lib.hostsFromFlake self;
        }
      '';
      description = ''
        The inventory, as Nix values. `fleetctl check` proves it when it is built, and `fleetctl schema inventory` describes
        its keys. It is readable by every user, as all of the Nix store is.
      '';
    };

    inventory = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = literalExpression "./hosts.toml";
      description = "The inventory, as a file. Not together with {option}`settings`.";
    };
  };

  # The inventory; null where it is left to the operator's working directory.
  file =
    if cfg.inventory != null then
      cfg.inventory
    else if cfg.settings != { } then
      generated
    else
      null;

  assertions = [
    {
      assertion = cfg.inventory == null || cfg.settings == { };
      message = "programs.fleetctl has both settings and an inventory: leave one of them out.";
    }
  ];

  # fleetctl checks host keys as the user's ssh does, so a policy for ssh is one for deploys.
  sshWarnings =
    sshConfig:
    lib.optional ((cfg.inventory != null || cfg.settings != { }) && lax sshConfig != null) ''
      programs.ssh.extraConfig turns StrictHostKeyChecking down, and fleetctl goes by it: a host of the inventory whose key is
      unknown is deployed to all the same. Give the keys to ssh instead (programs.ssh.knownHosts), and leave it at "ask".
    '';
}
