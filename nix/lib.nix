# What a flake can have fleetctl's inventory made of. Needs no nixpkgs: Nix alone.
let
  # The hosts of one output of a flake, by their attributes.
  attrsOf = flake: output: builtins.attrNames (flake.${output} or { });

  toHost = kind: attr: {
    name = attr;
    value = { inherit kind; };
  };

  # USER@HOST is a home on that host. Beside a system of that name it is a host of its own, at the same address.
  toHome =
    systems: attr:
    let
      parts = builtins.match "([^@]+)@([^@]+)" attr;
      user = builtins.elemAt parts 0;
      machine = builtins.elemAt parts 1;
    in
    if parts == null then
      [ ]
    else if systems ? ${machine} then
      [
        {
          name = "${machine}-${user}";
          value = {
            kind = "home";
            inherit attr user;
            address = machine;
          };
        }
      ]
    else
      [
        {
          name = machine;
          value = {
            kind = "home";
            inherit attr user;
          };
        }
      ];

  # What deploy-rs has been told of a host.
  deployed =
    flake: name:
    let
      node = flake.deploy.nodes.${name} or { };
    in
    (if node ? hostname then { address = node.hostname; } else { })
    // (if node ? sshUser then { user = node.sshUser; } else { });
in
{
  # hostsFromFlake: what [hosts] of the inventory can begin with, from a flake's nixosConfigurations, darwinConfigurations,
  # homeConfigurations and, where the flake has it, deploy.nodes.NAME.hostname and .sshUser. Homes whose attribute does not say
  # on which host they are are left out. Nothing of a configuration is evaluated but its name.
  #
  #   programs.fleetctl.settings.hosts = lib.recursiveUpdate (inputs.nixfleet.lib.hostsFromFlake self) {
  #     hsb0.tags = [ "server" ];
  #   };
  hostsFromFlake =
    flake:
    let
      systems = builtins.listToAttrs (
        map (toHost "darwin") (attrsOf flake "darwinConfigurations")
        ++ map (toHost "nixos") (attrsOf flake "nixosConfigurations")
      );
      homes = builtins.listToAttrs (
        builtins.concatMap (toHome systems) (attrsOf flake "homeConfigurations")
      );
    in
    builtins.mapAttrs (name: host: host // deployed flake name) (homes // systems);
}
