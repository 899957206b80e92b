# The options of programs.fleetctl, the files made from them, and checks of their values.
{
  lib,
  pkgs,
  cfg,
  scope, # a sentence that says to which users the settings of the table apply
}:
let
  inherit (lib) mkOption types literalExpression;
  toml = pkgs.formats.toml { };

  # checkedFile NAME COMMAND VALUES: a TOML file of VALUES. Its build fails if `fleetctl COMMAND`
  # reports a finding in it.
  checkedFile =
    name: command: values:
    pkgs.runCommand name { file = toml.generate name values; } ''
      ${lib.getExe cfg.package} ${command} "$file"
      cp "$file" "$out"
    '';
  policy = import ./ssh-policy.nix { inherit lib; };
in
{
  options = {
    enable =
      lib.mkEnableOption "`fleetctl`, the command that deploys NixOS and macOS hosts over SSH"
      // {
        # The programs that it runs on this machine.
        relatedPackages = [
          "git"
          "openssh"
        ];
      };

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
        The inventory, as Nix values. The build checks it with `fleetctl check`. `fleetctl schema inventory` describes its
        keys. It is readable by all users, like everything in the Nix store.
      '';
    };

    inventory = mkOption {
      type = types.nullOr types.path;
      default = null;
      example = literalExpression "./hosts.toml";
      description = "The inventory, as a file. Cannot be used together with {option}`settings`.";
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
        Settings of the table: theme, keys, columns, notifications. The build checks them with `fleetctl check --config`.
        ${scope}
      '';
    };
  };

  # The inventory file, or null if fleetctl should search for it.
  file =
    if cfg.inventory != null then
      cfg.inventory
    else if cfg.settings != { } then
      checkedFile "hosts.toml" "check" cfg.settings
    else
      null;

  configFile =
    if cfg.config == { } then null else checkedFile "config.toml" "check --config" cfg.config;

  assertions = [
    {
      assertion = cfg.inventory == null || cfg.settings == { };
      message = "programs.fleetctl.settings and programs.fleetctl.inventory are both set: remove one of them.";
    }
  ];

  # Warnings about an ssh_config(5) of the same configuration: fleetctl checks host keys by its
  # settings, so that they apply to deploys, too.
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
      ${file} weakens StrictHostKeyChecking for ${lib.concatStringsSep ", " lax}. fleetctl follows this setting and deploys to these
      hosts even if their keys are unknown. Add the keys to known_hosts instead and leave StrictHostKeyChecking at "ask".
    '';
}
