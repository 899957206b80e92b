# The options of programs.fleetctl, the inventory that they come to, and what is wrong with them.
{
  lib,
  pkgs,
  cfg,
  whose, # a sentence: who has the settings of the table
}:
let
  inherit (lib) mkOption types literalExpression;
  toml = pkgs.formats.toml { };

  # proven NAME WORDS VALUES: the file that values make, where `fleetctl check` finds nothing wrong with it.
  proven =
    name: words: values:
    pkgs.runCommand name { file = toml.generate name values; } ''
      ${lib.getExe cfg.package} ${words} "$file"
      cp "$file" "$out"
    '';
  policy = import ./ssh-policy.nix { inherit lib; };
in
{
  options = {
    enable = lib.mkEnableOption "`fleetctl`, the command that deploys NixOS and macOS hosts over SSH";

    package = import ./package-option.nix { inherit lib pkgs; };

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

    config = mkOption {
      inherit (toml) type;
      default = { };
      example = literalExpression ''
        {
          theme = "vivid";
          columns = [ "state" "revision" "time" ];
          keys.deploy = "D";
        }
      '';
      description = ''
        The settings of the table: theme, keys, columns, notifications. `fleetctl check --config` proves them when they are built.
        ${whose}
      '';
    };
  };

  # The inventory; null where it is left to the operator's working directory.
  file =
    if cfg.inventory != null then
      cfg.inventory
    else if cfg.settings != { } then
      proven "hosts.toml" "check" cfg.settings
    else
      null;

  configFile = if cfg.config == { } then null else proven "config.toml" "check --config" cfg.config;

  assertions = [
    {
      assertion = cfg.inventory == null || cfg.settings == { };
      message = "programs.fleetctl has both settings and an inventory: leave one of them out.";
    }
  ];

  # What is wrong with an ssh_config(5) that the modules make: fleetctl checks host keys as the user's ssh does, so a policy for ssh is
  # one for deploys.
  sshWarnings =
    { file, text }:
    let
      hosts = lib.attrNames (cfg.settings.hosts or { });
      lax =
        if cfg.inventory == null then
          policy.laxOf text hosts
        else
          lib.optional (policy.laxForAll text) "every host";
    in
    lib.optional (lax != [ ]) ''
      ${file} turns StrictHostKeyChecking down for ${lib.concatStringsSep ", " lax}, and fleetctl goes by it: where a host of the
      inventory has a key that is not known, it is deployed to all the same. Have the keys in known_hosts instead, and leave
      StrictHostKeyChecking at "ask".
    '';
}
